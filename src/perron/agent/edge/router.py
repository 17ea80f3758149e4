"""Counts what visitors asked for and did not get, and keeps the router's log lines."""

import asyncio
import json
import logging
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from perron.agent.logs import Batch, Block, Labels, Logs, Store
from perron.contract.node import RouterCount
from perron.kit import clock
from perron.kit.files import private_folder

from . import lines, tally
from .model import AccessLine
from .tally import Group, Heard, Second
from .traffic import Minutes

KEEP = 7 * 86_400
PRUNE_EVERY = 3600
_FOLLOWERS_HOLD = 10_000
_SLACK = timedelta(seconds=1)  # lines of two threads may be a little out of order
log = logging.getLogger(__name__)
_TABLES = """
create table if not exists router_second (
  environment text, second integer, requests integer, gaps integer, lost text,
  primary key (environment, second)) without rowid;
create table if not exists router_first (
  environment text, release integer, at real, primary key (environment, release)) without rowid;
create table if not exists router_served (
  environment text, second integer, at real, primary key (environment, second)) without rowid;
create table if not exists router_heard (
  worker text, environment text, taken integer, started integer, top integer,
  primary key (worker, environment)) without rowid;
create table if not exists router_place (worker text primary key, line blob) without rowid;
"""


@dataclass
class _Change:
    """What is written with one piece of the ring: all of it, or nothing."""

    seconds: dict[tuple[str, int], Second] = field(default_factory=lambda: defaultdict(Second))
    releases: dict[tuple[str, int], datetime] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    gaps: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    heard: set[tuple[str, str]] = field(default_factory=set)
    places: dict[str, bytes | None] = field(default_factory=dict)


class Router:
    """Takes access lines as they are, counts them once, and keeps both in one transaction."""

    def __init__(self, database: Path, logs: Logs | None) -> None:
        self._path = database
        self._logs = logs
        self._own: Store | None = None
        self._heard: dict[tuple[str, str], Heard] = {}
        self._known: dict[str, dict[bytes, None]] = defaultdict(dict)
        self._followers: set[asyncio.Queue[AccessLine]] = set()
        self._pruned = 0.0
        self._lock = asyncio.Lock()
        self._asked_for: set[str] = set()
        self._minutes = Minutes()

    def open(self) -> None:
        """Open the counts of before."""
        if self._logs is None:
            private_folder(self._path.parent)
            self._own = Store(self._path)
        store = self._store()
        store.prepare(_TABLES)
        store.by_environment += _GOES
        store.decoders[lines.FORM] = lines.told
        if self._logs is not None and self._path.exists():
            _bring_over(self._path, store)
        for worker, environment, *counts in store.ask("select * from router_heard"):
            self._heard[worker, environment] = Heard(*counts)
        for (environment,) in store.ask("select distinct environment from router_second"):
            self._asked_for.add(environment)

    async def close(self) -> None:
        """Let go of the database, when what is being written is written."""
        async with self._lock:
            if self._own is not None:
                self._own.close()
                self._own = None

    def place(self, worker: str) -> bytes:
        """Return the last line that was taken from a worker's ring."""
        rows = self._store().ask("select line from router_place where worker = ?", worker)
        return bytes(rows[0][0]) if rows else b""

    async def take(self, worker: str, data: bytes) -> None:
        """Count and keep new lines, and hand them to whoever follows."""
        async with self._lock:
            await asyncio.to_thread(self._take, worker, data)
        if self._followers:
            self._hand_on(data)

    async def forget_others(self, alive: Iterable[str]) -> None:
        """Count as gaps what workers that are gone had begun and never told."""
        async with self._lock:
            kept = set(alive)
            gone = {worker for worker, _ in self._heard} - kept
            if gone:
                await asyncio.to_thread(self._bury, gone)

    async def settle(self) -> None:
        """Count as gaps what was numbered and never came: a full ring took it."""
        async with self._lock:
            change = _Change()
            for (worker, environment), heard in self._heard.items():
                if missing := heard.settle():
                    change.gaps[environment, _FULL] += missing
                    change.heard.add((worker, environment))
            if change.gaps:
                await asyncio.to_thread(self._keep, change)

    async def follow(self) -> AsyncIterator[AccessLine]:
        """Yield lines from now on."""
        queue: asyncio.Queue[AccessLine] = asyncio.Queue(_FOLLOWERS_HOLD)
        self._followers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._followers.discard(queue)

    async def count(
        self, environment: str, since: datetime, until: datetime, release: int | None
    ) -> RouterCount:
        """Return the sums between two moments."""
        async with self._lock:
            span = (environment, int(since.timestamp()), int(until.timestamp()))
            rows = self._store().ask(
                "select requests, gaps, lost from router_second"
                " where environment = ? and second between ? and ?",
                *span,
            )
            first = self._first(span, release)
        lost: dict[str, int] = defaultdict(int)
        for row in rows:
            for reason, count in json.loads(row[2]).items():
                lost[reason] += count
        return RouterCount(
            requests=sum(row[0] for row in rows),
            gaps=sum(row[1] for row in rows),
            lost=dict(lost),
            first_served=datetime.fromtimestamp(first, UTC) if first else None,
        )

    async def minutes(self) -> dict[str, list[int]]:
        """Return how many requests every environment had in each minute of the last hour."""
        async with self._lock:
            now, known = int(clock.now().timestamp()), sorted(self._asked_for)
            return await asyncio.to_thread(self._minutes.read, self._store().reader(), known, now)

    def _take(self, worker: str, data: bytes) -> None:
        change = _Change()
        before = {}
        for group in tally.groups(data):
            key = (worker, group.environment)
            if key not in before:
                before[key] = _copy(self._heard.get(key))
            self._take_group(key, group, change)
        change.places[worker] = data[data.rfind(b"\n", 0, -1) + 1 : -1]
        try:
            self._keep(change)
        except BaseException:
            self._heard.update(before)  # it is taken again
            self._known.clear()
            raise

    def _take_group(self, key: tuple[str, str], group: Group, change: _Change) -> None:
        environment = group.environment
        found = tally.tally(group, self._known[environment])
        for second, each in found.seconds.items():
            _add(change.seconds[environment, second], each)
        for release, at in found.releases.items():
            change.releases[environment, release] = at
        started, ended = sorted(group.edges())
        change.blocks.append(
            Block(environment, "router", lines.FORM, group.text[:-1], group.count,
                  started - _SLACK, ended + _SLACK)
        )  # fmt: skip
        heard = self._heard.setdefault(key, Heard())
        if missing := heard.take(group.count, group.newest()):
            change.gaps[environment, _FULL] += missing
        change.heard.add(key)
        self._asked_for.add(environment)

    def _bury(self, workers: set[str]) -> None:
        change = _Change()
        for key in [key for key in self._heard if key[0] in workers]:
            if untold := self._heard[key].untold:
                change.gaps[key[1], _ENDED] += untold
            del self._heard[key]
            change.heard.add(key)
        change.places.update(dict.fromkeys(workers))
        self._keep(change)

    def _keep(self, change: _Change) -> None:
        """Write everything a piece of the ring changed, in one transaction with its lines."""
        now = clock.now()
        said = []
        for (environment, why), count in change.gaps.items():
            change.seconds[environment, int(now.timestamp())].gaps += count
            text = f"{count} request{'s are' if count > 1 else ' is'} not logged: {why}"
            said.append(Batch(Labels(environment, "router"), [text], [now]))
        self._store().keep(change.blocks, said, lambda database: self._write(database, change))
        if self._logs is not None:
            self._logs.tell({environment for environment, _ in change.seconds})

    def _write(self, database: sqlite3.Connection, change: _Change) -> None:
        for (environment, second), each in change.seconds.items():
            _write_second(database, environment, second, each)
        for (environment, release), at in change.releases.items():
            database.execute(
                "insert or ignore into router_first values (?, ?, ?)",
                (environment, release, at.timestamp()),
            )
        for key in change.heard:
            _write_heard(database, key, self._heard.get(key))
        for worker, line in change.places.items():
            database.execute("delete from router_place where worker = ?", (worker,))
            if line is not None:
                database.execute("insert into router_place values (?, ?)", (worker, line))
        self._prune(database)

    def _hand_on(self, data: bytes) -> None:
        for raw in data.decode(errors="replace").split("\n"):
            if line := lines.parse(raw):
                for queue in self._followers:
                    if not queue.full():
                        queue.put_nowait(line)

    def _first(self, span: tuple[str, int, int], release: int | None) -> float | None:
        if release is not None:
            query = "select at from router_first where environment = ? and release = ?"
            rows = self._store().ask(query, span[0], release)
        else:
            query = (
                "select min(at) from router_served where environment = ? and second between ? and ?"
            )
            rows = self._store().ask(query, *span)
        return float(rows[0][0]) if rows and rows[0][0] is not None else None

    def _prune(self, database: sqlite3.Connection) -> None:
        if time.monotonic() - self._pruned < PRUNE_EVERY:
            return
        self._pruned = time.monotonic()
        before = int(time.time()) - KEEP
        for table in ("router_second", "router_served"):
            database.execute(f"delete from {table} where second < ?", (before,))  # noqa: S608

    def _store(self) -> Store:
        store = self._logs.store if self._logs is not None else self._own
        if store is None:
            raise RuntimeError("The router's counts are not open.")
        return store


def _bring_over(path: Path, store: Store) -> None:
    """Take over the counts an older version kept in a database of their own."""
    try:
        with closing(sqlite3.connect(path)) as old:
            rows = {name: old.execute(f"select * from {name}").fetchall() for name in _WIDTHS}  # noqa: S608
    except sqlite3.Error as why:
        log.warning("The counts in %s cannot be read and are left there: %s", path, why)
        return

    def write(database: sqlite3.Connection) -> None:
        for name, width in _WIDTHS.items():
            marks = ", ".join("?" * width)
            into = f"insert or ignore into router_{name} values ({marks})"  # noqa: S608
            database.executemany(into, rows[name])

    store.keep([], [], write)
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


_GOES = ["router_second", "router_first", "router_served", "router_heard"]
_WIDTHS = {"second": 5, "first": 3, "served": 3}
_FULL = "more came than could be read"
_ENDED = "the edge ended before it told of what it had begun"


def _write_second(
    database: sqlite3.Connection, environment: str, second: int, each: Second
) -> None:
    known = database.execute(
        "select requests, gaps, lost from router_second where environment = ? and second = ?",
        (environment, second),
    ).fetchone() or (0, 0, "{}")
    lost = json.loads(known[2])
    for reason, count in each.lost.items():
        lost[reason] = lost.get(reason, 0) + count
    row = (known[0] + each.requests, known[1] + each.gaps, json.dumps(lost))
    database.execute(
        "insert or replace into router_second values (?, ?, ?, ?, ?)", (environment, second, *row)
    )
    if each.served:
        database.execute(
            "insert or ignore into router_served values (?, ?, ?)",
            (environment, second, each.served.timestamp()),
        )


def _write_heard(database: sqlite3.Connection, key: tuple[str, str], heard: Heard | None) -> None:
    if heard is None:
        database.execute("delete from router_heard where worker = ? and environment = ?", key)
        return
    row = (*key, heard.taken, heard.started, heard.top)
    database.execute("insert or replace into router_heard values (?, ?, ?, ?, ?)", row)


def _add(into: Second, each: Second) -> None:
    into.requests += each.requests
    for reason, count in each.lost.items():
        into.lost[reason] = into.lost.get(reason, 0) + count
    moments: Sequence[datetime] = [at for at in (into.served, each.served) if at]
    into.served = min(moments, default=None)


def _copy(heard: Heard | None) -> Heard:
    if heard is None:
        return Heard()
    return Heard(heard.taken, heard.started, heard.top, heard.recent.copy(), heard.quiet_at)
