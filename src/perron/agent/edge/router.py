"""Counts what visitors asked for and did not get, and writes the router's log lines."""

import asyncio
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from perron.agent.logs import Logs
from perron.contract.node import RouterCount
from perron.kit import clock
from perron.kit.files import private_folder

from .model import AccessLine
from .traffic import Minutes

KEEP = 7 * 86_400
PRUNE_EVERY = 3600
_FOLLOWERS_HOLD = 10_000
_TABLES = """
create table if not exists second (
  environment text, second integer, requests integer, gaps integer, lost text,
  primary key (environment, second)) without rowid;
create table if not exists first (
  environment text, release integer, at real, primary key (environment, release)) without rowid;
create table if not exists served (
  environment text, second integer, at real, primary key (environment, second)) without rowid;
create table if not exists heard (
  environment text primary key, worker integer, top integer, missing text) without rowid;
"""


@dataclass
class Heard:
    """Which of an environment's requests we know the end of, as numbered by one worker.

    ``missing`` holds the numbers below ``top`` that have not been told: in flight, or lost.
    """

    worker: int
    top: int = 0
    missing: set[int] = field(default_factory=set)

    def take(self, sequence: int) -> bool:
        """Note one number; False when it was told before."""
        if sequence > self.top:
            self.missing.update(range(self.top + 1, sequence))
            self.top = sequence
            return True
        if sequence in self.missing:
            self.missing.discard(sequence)
            return True
        return False


@dataclass
class Second:
    """What one environment's visitors saw in one second."""

    requests: int = 0
    gaps: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    served: datetime | None = None
    releases: dict[int, datetime] = field(default_factory=dict)

    def add(self, line: AccessLine) -> None:
        """Count one request."""
        self.requests += 1
        if line.state != "--" and (lost := line.lost):
            self.lost[lost] = self.lost.get(lost, 0) + 1
        elif line.instance and 100 <= line.status < 500:
            self._serve(line.time, line.release)

    def _serve(self, at: datetime, release: int | None) -> None:
        """Keep when an instance first answered, and answered well."""
        if self.served is None or at < self.served:
            self.served = at
        if release is not None and at < self.releases.get(release, _NEVER):
            self.releases[release] = at


_NEVER = datetime.max.replace(tzinfo=UTC)


class Router:
    """Reads access lines once, counts them, and keeps the counts over restarts."""

    def __init__(self, database: Path, logs: Logs | None) -> None:
        self._path = database
        self._logs = logs
        self._heard: dict[str, Heard] = {}
        self._followers: set[asyncio.Queue[AccessLine]] = set()
        self._database: sqlite3.Connection | None = None
        self._pruned = 0.0
        self._untold: dict[str, set[int]] = {}
        self._lock = asyncio.Lock()
        self._minutes = Minutes()

    def open(self) -> None:
        """Open the counts of before."""
        private_folder(self._path.parent)
        self._database = sqlite3.connect(self._path, check_same_thread=False)
        self._database.execute("pragma journal_mode=wal")
        self._database.execute("pragma synchronous=normal")
        self._database.executescript(_TABLES)
        for environment, worker, top, missing in self._database.execute("select * from heard"):
            self._heard[environment] = Heard(worker, top, set(json.loads(missing)))

    async def close(self) -> None:
        """Let go of the database, when what is being written is written."""
        async with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    async def take(self, lines: list[AccessLine]) -> None:
        """Count new lines, log them, and hand them to whoever follows."""
        async with self._lock:
            fresh, gaps = self._fresh(lines)
            if not fresh:
                return
            seconds = _seconds(fresh, gaps)
            self._write_logs(fresh, gaps)
            await asyncio.to_thread(self._keep, seconds, {line.environment for line in fresh})
        for queue in self._followers:
            for line in fresh:
                if not queue.full():
                    queue.put_nowait(line)

    async def settle(self, in_flight: Mapping[str, int]) -> None:
        """Count as gaps what was untold twice and is not in flight: a full ring took it."""
        async with self._lock:
            for environment, heard in self._heard.items():
                untold = sorted(heard.missing & self._untold.get(environment, set()))
                excess = len(untold) - in_flight.get(environment, 0)
                if excess > 0:
                    heard.missing.difference_update(untold[-excess:])
                    self._note_gap(environment, excess)
                self._untold[environment] = set(heard.missing)

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
            rows = (
                self._db()
                .execute(
                    "select requests, gaps, lost from second"
                    " where environment = ? and second between ? and ?",
                    span,
                )
                .fetchall()
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
            now, known = int(clock.now().timestamp()), list(self._heard)
            return await asyncio.to_thread(self._minutes.read, self._db(), known, now)

    def _fresh(self, lines: Iterable[AccessLine]) -> tuple[list[AccessLine], dict[str, int]]:
        """Leave out what was read before; say how many lines are gone for good."""
        fresh, gaps = [], {}
        for line in lines:
            heard = self._heard.get(line.environment)
            if heard is None or heard.worker != line.worker:
                if heard is not None and heard.missing:
                    gaps[line.environment] = len(heard.missing)
                heard = self._heard[line.environment] = Heard(line.worker)
            if line.sequence is None or heard.take(line.sequence):
                fresh.append(line)
        return fresh, gaps

    def _write_logs(self, lines: list[AccessLine], gaps: dict[str, int]) -> None:
        if self._logs is None:
            return
        by_environment: dict[str, list[AccessLine]] = defaultdict(list)
        for line in lines:
            by_environment[line.environment].append(line)
        for environment, all in by_environment.items():
            said = [(line.time, line.text, _labels(line.instance, line.release)) for line in all]
            if missing := gaps.get(environment):
                text = f"{missing} requests were in flight when the edge was killed: not logged"
                said.insert(0, (all[0].time, text, {}))
            self._logs.add(environment, "router", said)

    def _note_gap(self, environment: str, count: int) -> None:
        now = clock.now()
        if self._logs is not None:
            text = f"{count} requests are not logged: more came than could be read"
            self._logs.add(environment, "router", [(now, text, {})])
        self._keep({(environment, int(now.timestamp())): Second(gaps=count)}, {environment})

    def _keep(self, seconds: dict[tuple[str, int], Second], environments: set[str]) -> None:
        database = self._db()
        with database:
            for (environment, second), each in seconds.items():
                self._keep_second(environment, second, each)
            for environment in environments:
                heard = self._heard[environment]
                database.execute(
                    "insert or replace into heard values (?, ?, ?, ?)",
                    (environment, heard.worker, heard.top, json.dumps(sorted(heard.missing))),
                )
            self._prune()

    def _keep_second(self, environment: str, second: int, each: Second) -> None:
        database = self._db()
        known = database.execute(
            "select requests, gaps, lost from second where environment = ? and second = ?",
            (environment, second),
        ).fetchone() or (0, 0, "{}")
        lost = json.loads(known[2])
        for reason, count in each.lost.items():
            lost[reason] = lost.get(reason, 0) + count
        row = (known[0] + each.requests, known[1] + each.gaps, json.dumps(lost))
        database.execute(
            "insert or replace into second values (?, ?, ?, ?, ?)", (environment, second, *row)
        )
        if each.served:
            database.execute(
                "insert or ignore into served values (?, ?, ?)",
                (environment, second, each.served.timestamp()),
            )
        for release, at in each.releases.items():
            database.execute(
                "insert or ignore into first values (?, ?, ?)",
                (environment, release, at.timestamp()),
            )

    def _first(self, span: tuple[str, int, int], release: int | None) -> float | None:
        if release is not None:
            query = "select at from first where environment = ? and release = ?"
            row = self._db().execute(query, (span[0], release)).fetchone()
        else:
            query = "select min(at) from served where environment = ? and second between ? and ?"
            row = self._db().execute(query, span).fetchone()
        return float(row[0]) if row and row[0] is not None else None

    def _prune(self) -> None:
        if time.monotonic() - self._pruned < PRUNE_EVERY:
            return
        self._pruned = time.monotonic()
        before = int(time.time()) - KEEP
        for table in ("second", "served"):
            self._db().execute(f"delete from {table} where second < ?", (before,))  # noqa: S608

    def _db(self) -> sqlite3.Connection:
        if self._database is None:
            raise RuntimeError("The router's counts are not open.")
        return self._database


def _seconds(lines: Iterable[AccessLine], gaps: dict[str, int]) -> dict[tuple[str, int], Second]:
    seconds: dict[tuple[str, int], Second] = defaultdict(Second)
    moment, at = None, 0
    for line in lines:
        if line.time is not moment:  # many share one
            moment, at = line.time, int(line.time.timestamp())
        second = seconds[(line.environment, at)]
        second.add(line)
        if gaps:
            second.gaps += gaps.pop(line.environment, 0)
    return seconds


@lru_cache(4096)
def _labels(instance: str, release: int | None) -> Mapping[str, object]:
    if not instance:
        return {}
    return {"process": instance.partition(".")[0], "instance": instance, "release": release}
