"""The lines written down: compressed chunks with growing numbers, in a database of their own."""

import array
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from perron.contract.node import LogLine

from .model import Batch, Labels, Query

SCHEMA_VERSION = 1
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
    gap TEXT NOT NULL, size INTEGER NOT NULL, times BLOB, body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS chunk_of ON chunk (environment, first);
CREATE INDEX IF NOT EXISTS chunk_from ON chunk (environment, source, first);
CREATE TABLE IF NOT EXISTS counter (next INTEGER NOT NULL) STRICT;
INSERT INTO counter SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""
_INSERT = "INSERT INTO chunk VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_FIELDS = ("source", "process", "instance", "release", "job")


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
        if self._writer.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
            raise RuntimeError(f"{path} was written by a newer Perron; install that one again.")
        self._writer.executescript(_SCHEMA)
        self._writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            for each in (*self._readers, self._writer):
                each.close()

    def write(self, batches: Sequence[Batch], places: Sequence[Place] = ()) -> None:
        """Keep lines and how far their files were read: both or neither."""
        packed = [(each, *_packed(each)) for each in batches if each.texts]
        with self._lock, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            number = self._writer.execute("SELECT next FROM counter").fetchone()[0]
            for batch, times, body in packed:
                self._writer.execute(_INSERT, _row(batch, number, times, body))
                number += len(batch.texts)
            self._writer.execute("UPDATE counter SET next = ?", (number,))
            rows = [
                (each.path, each.inode, each.position, each.dropped, each.environment)
                for each in places
            ]
            self._writer.executemany("INSERT OR REPLACE INTO tail VALUES (?,?,?,?,?)", rows)

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
        connection = self._reader()
        connection.execute("BEGIN")
        try:
            top = connection.execute("SELECT next FROM counter").fetchone()[0] - 1
            lines = list(_first(self._matching(connection, query), query.limit))
        finally:
            connection.execute("COMMIT")
        if query.newest:
            return lines[::-1], top
        return lines, lines[-1].cursor if len(lines) == query.limit and lines else top

    def forget(self, environment: str) -> None:
        """Delete everything an environment ever said."""
        with self._lock, self._writer:
            self._writer.execute("DELETE FROM chunk WHERE environment = ?", (environment,))
            self._writer.execute("DELETE FROM tail WHERE environment = ?", (environment,))

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

    def _reader(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
            self._readers.append(self._local.connection)
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _matching(self, connection: sqlite3.Connection, query: Query) -> Iterator[LogLine]:
        where, values = _conditions(query)
        order = "DESC" if query.newest else "ASC"
        columns = f"first, {', '.join(_FIELDS)}, started, late, gap, times, body"
        select = f"SELECT {columns} FROM chunk WHERE {where} ORDER BY first {order}"  # noqa: S608 names
        rows = connection.execute(select, values)
        for row in rows:
            yield from _lines(query, row)


def _packed(batch: Batch) -> tuple[bytes | None, bytes]:
    """Return the moments (None: all the same) and the lines, as they are kept."""
    body = zlib.compress("\n".join(batch.texts).encode(errors="replace"), 1)
    if len(batch.times) == 1:
        return None, body
    return array.array("q", map(_micros, batch.times)).tobytes(), body


def _row(batch: Batch, number: int, times: bytes | None, body: bytes) -> tuple[object, ...]:
    labels: Labels = batch.labels
    size = len(body) + len(times or b"") + 100
    return (
        number,
        number + len(batch.texts) - 1,
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
        size,
        times,
        body,
    )


def _conditions(query: Query) -> tuple[str, list[object]]:
    wanted: list[tuple[str, object]] = [("environment = ?", query.environment)]
    wanted += [
        (f"{name} = ?", value) for name in _FIELDS if (value := getattr(query, name)) is not None
    ]
    if query.after is not None:
        wanted.append(("last > ?", query.after))
    if query.before is not None:
        wanted.append(("first < ?", query.before))
    if query.since:
        wanted.append(("ended >= ?", _micros(query.since)))
    if query.until:
        wanted.append(("started <= ?", _micros(query.until)))
    return " AND ".join(text for text, _ in wanted), [value for _, value in wanted]


def _lines(query: Query, row: tuple[Any, ...]) -> Iterator[LogLine]:
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
