"""The lines written down: compressed chunks with growing numbers, in a database of their own."""

import array
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from perron.contract.node import LogLine

from .model import Batch, Block, Labels, Query, Told

SCHEMA_VERSION = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tail (
    path TEXT PRIMARY KEY, inode INTEGER NOT NULL, position INTEGER NOT NULL,
    dropped INTEGER NOT NULL, environment TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS chunk (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, environment TEXT NOT NULL,
    source TEXT NOT NULL, process TEXT NOT NULL, instance TEXT NOT NULL, release INTEGER,
    job TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, late INTEGER NOT NULL,
    gap TEXT NOT NULL, size INTEGER NOT NULL, times BLOB, body BLOB NOT NULL,
    form TEXT NOT NULL DEFAULT '', raw INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS chunk_of ON chunk (environment, first);
CREATE INDEX IF NOT EXISTS chunk_from ON chunk (environment, source, first);
CREATE TABLE IF NOT EXISTS counter (next INTEGER NOT NULL) STRICT;
INSERT INTO counter SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""
_SINCE_2 = """
ALTER TABLE chunk ADD COLUMN form TEXT NOT NULL DEFAULT '';
ALTER TABLE chunk ADD COLUMN raw INTEGER NOT NULL DEFAULT 0;
"""
_RAW = "CREATE INDEX IF NOT EXISTS chunk_raw ON chunk (first) WHERE raw = 1"
_INSERT = "INSERT INTO chunk VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_FIELDS = ("source", "process", "instance", "release", "job")
_OF_LINES = ("process", "instance", "release")  # of a block each line has its own
_SMALL = 64 << 10
_ROW = 100  # bytes, about, beside the lines themselves
_Packed = tuple[int, tuple[object, ...]]


@dataclass(frozen=True)
class Place:
    """How far a file was read; ``dropped`` lines before it are not yet told about."""

    path: str
    inode: int
    position: int
    dropped: int
    environment: str


class Store:
    """The log database: one writer at a time, any number of readers."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lock = threading.Lock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._writer = self._connect()
        self.decoders: dict[str, Callable[[str], Told | None]] = {}
        self.by_environment = ["chunk", "tail"]  # what goes with an environment
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise RuntimeError(f"{path} was written by a newer Perron; install that one again.")
        if version == 1:
            self._writer.executescript(f"BEGIN; {_SINCE_2} PRAGMA user_version = 2; COMMIT")
        self._writer.executescript(_SCHEMA)
        self._writer.execute(_RAW)
        self._writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            for each in (*self._readers, self._writer):
                each.close()

    def write(self, batches: Sequence[Batch], places: Sequence[Place] = ()) -> None:
        """Keep lines and how far their files were read: both or neither."""
        packed = [_packed(each) for each in batches if each.texts]
        with self._lock, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            self._add(packed)
            rows = [
                (each.path, each.inode, each.position, each.dropped, each.environment)
                for each in places
            ]
            self._writer.executemany("INSERT OR REPLACE INTO tail VALUES (?,?,?,?,?)", rows)

    def keep(
        self,
        blocks: Sequence[Block],
        batches: Sequence[Batch],
        along: Callable[[sqlite3.Connection], None],
    ) -> None:
        """Keep blocks as they are, other lines, and what ``along`` writes: all or nothing."""
        packed = [*map(_packed, batches), *map(_packed_block, blocks)]
        with self._lock, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            self._add(packed)
            along(self._writer)

    def prepare(self, tables: str) -> None:
        """Make tables of another room, for what it keeps with its lines."""
        with self._lock:
            self._writer.executescript(tables)

    def ask(self, query: str, *values: object) -> list[Any]:
        """Return the rows of a query."""
        return self.reader().execute(query, values).fetchall()

    def seal(self) -> bool:
        """Compress the oldest block that lies here as it came; say whether there was one."""
        query = "SELECT first, body FROM chunk WHERE raw = 1 ORDER BY first LIMIT 1"
        for first, body in self.ask(query):
            packed = zlib.compress(body, 1)
            change = "UPDATE chunk SET body = ?, size = ?, raw = 0 WHERE first = ? AND raw = 1"
            with self._lock, self._writer:
                self._writer.execute(change, (packed, len(packed) + _ROW, first))
            return True
        return False

    def raw_bytes(self) -> int:
        """Return how much lies here as it came."""
        query = "SELECT coalesce(sum(size), 0) FROM chunk INDEXED BY chunk_raw WHERE raw = 1"
        return int(self.ask(query)[0][0])

    def _add(self, packed: Iterable[_Packed]) -> None:
        number = self._writer.execute("SELECT next FROM counter").fetchone()[0]
        for count, row in packed:
            self._writer.execute(_INSERT, (number, number + count - 1, *row))
            number += count
        self._writer.execute("UPDATE counter SET next = ?", (number,))

    def place(self, path: str) -> Place | None:
        """Return how far a file was read, if it was ever."""
        with self._lock:
            row = self._writer.execute("SELECT * FROM tail WHERE path = ?", (path,)).fetchone()
        return Place(*row) if row else None

    def drop_place(self, path: str) -> None:
        """Forget a file that was read to its end."""
        with self._lock, self._writer:
            self._writer.execute("DELETE FROM tail WHERE path = ?", (path,))

    def page(self, query: Query) -> tuple[list[LogLine], int]:
        """Return matching lines, oldest first, and the cursor after which the next ones are."""
        connection = self.reader()
        connection.execute("BEGIN")
        try:
            top = connection.execute("SELECT next FROM counter").fetchone()[0] - 1
            lines = list(_first(self._matching(connection, query), query.most))
        finally:
            connection.execute("COMMIT")
        if query.newest:
            return lines[::-1], top
        return lines, lines[-1].cursor if len(lines) == query.most and lines else top

    def forget(self, environment: str) -> None:
        """Delete everything an environment ever said, and what is counted of it."""
        with self._lock, self._writer:
            for table in self.by_environment:
                query = f"DELETE FROM {table} WHERE environment = ?"  # noqa: S608 - names of ours
                self._writer.execute(query, (environment,))

    def prune(self, older_than: datetime, max_bytes: int) -> None:
        """Delete what is too old, and of each environment the oldest beyond ``max_bytes``."""
        with self._lock, self._writer:
            self._writer.execute("DELETE FROM chunk WHERE ended < ?", (_micros(older_than),))
            self._writer.execute(
                "DELETE FROM chunk WHERE first IN (SELECT first FROM (SELECT first, sum(size) OVER"
                " (PARTITION BY environment ORDER BY first DESC) AS held FROM chunk)"
                " WHERE held > ?)",
                (max_bytes,),
            )
        with self._lock:
            self._writer.execute("PRAGMA incremental_vacuum").fetchall()

    def settle(self) -> None:
        """Bring what was written onto the disk, as far as no reader is in the way."""
        with self._lock:
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=10
        )
        for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def reader(self) -> sqlite3.Connection:
        """Return this thread's own connection, to read with."""
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
            self._readers.append(self._local.connection)
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _matching(self, connection: sqlite3.Connection, query: Query) -> Iterator[LogLine]:
        where, values = _conditions(query)
        order = "DESC" if query.newest else "ASC"
        columns = f"first, {', '.join(_FIELDS)}, started, late, gap, times, body, form, raw"
        select = f"SELECT {columns} FROM chunk WHERE {where} ORDER BY first {order}"  # noqa: S608 names
        rows = connection.execute(select, values)
        for *row, form, raw in rows:
            if form:
                decode = self.decoders.get(form, _as_it_is)
                yield from _decoded(query, row, bool(raw), decode)
            else:
                yield from _lines(query, row)


def _packed(batch: Batch) -> _Packed:
    """Return how many lines there are, and their row behind its numbers."""
    body = zlib.compress("\n".join(batch.texts).encode(errors="replace"), 1)
    times = None  # all the same
    if len(batch.times) > 1:
        times = array.array("q", map(_micros, batch.times)).tobytes()
    labels: Labels = batch.labels
    return len(batch.texts), (
        labels.environment,
        labels.source,
        labels.process,
        labels.instance,
        labels.release,
        labels.job,
        _micros(min(batch.times)),
        _micros(max(batch.times)),
        int(batch.late),
        batch.gap,
        len(body) + len(times or b"") + _ROW,
        times,
        body,
        "",
        0,
    )


def _packed_block(block: Block) -> _Packed:
    """Return a block's row: small ones are compressed at once, others when there is time."""
    raw = len(block.body) > _SMALL
    body = block.body if raw else zlib.compress(block.body, 1)
    moments = (_micros(block.started), _micros(block.ended))
    return block.count, (
        block.environment, block.source, "", "", None, "", *moments, 0, "",
        len(body) + _ROW, None, body, block.form, int(raw),
    )  # fmt: skip


def _conditions(query: Query) -> tuple[str, list[object]]:
    wanted: list[tuple[str, object]] = [("environment = ?", query.environment)]
    for name in _FIELDS:
        if (value := getattr(query, name)) is not None:
            either = f"({name} = ? OR form <> '')" if name in _OF_LINES else f"{name} = ?"
            wanted.append((either, value))
    if query.after is not None:
        wanted.append(("last > ?", query.after))
    if query.before is not None:
        wanted.append(("first < ?", query.before))
    if query.since:
        wanted.append(("ended >= ?", _micros(query.since)))
    if query.until:
        wanted.append(("started <= ?", _micros(query.until)))
    return " AND ".join(text for text, _ in wanted), [value for _, value in wanted]


def _decoded(
    query: Query, row: Sequence[Any], raw: bool, decode: Callable[[str], Told | None]
) -> Iterator[LogLine]:
    first, source, started, body = row[0], row[1], row[6], row[-1]
    texts = (body if raw else zlib.decompress(body)).decode(errors="replace").split("\n")
    numbered = list(enumerate(texts, start=first))
    for cursor, text in reversed(numbered) if query.newest else numbered:
        told = decode(text) or Told(_moment(started), text)
        if query.finds(told) and query.wants(cursor, told.time, told.text):
            yield LogLine.model_construct(
                cursor=cursor,
                time=told.time,
                source=source,
                process=told.process,
                instance=told.instance,
                release=told.release,
                job="",
                text=told.text,
                late=False,
                gap="",
            )


def _as_it_is(text: str) -> Told | None:
    return None


def _lines(query: Query, row: Sequence[Any]) -> Iterator[LogLine]:
    first, source, process, instance, release, job, started, late, gap, times, body = row
    texts = zlib.decompress(body).decode().split("\n")
    moments = [_moment(started)] * len(texts)
    if times is not None:
        moments = [_moment(each) for each in array.array("q", times)]
    numbered = list(enumerate(zip(texts, moments, strict=True), start=first))
    for cursor, (text, time) in reversed(numbered) if query.newest else numbered:
        if query.wants(cursor, time, text):
            yield LogLine.model_construct(
                cursor=cursor,
                time=time,
                source=source,
                process=process,
                instance=instance,
                release=release,
                job=job,
                text=text,
                late=bool(late),
                gap=gap if cursor == first else "",
            )


def _first(lines: Iterator[LogLine], limit: int) -> Iterator[LogLine]:
    for left, line in zip(range(limit, 0, -1), lines, strict=False):
        yield line
        if left == 1:
            return


@lru_cache(1024)
def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
