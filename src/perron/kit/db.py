"""One unit of work is one transaction: all of it happens, or none of it."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeDecorator

from . import bell
from .callers import Caller

log = logging.getLogger(__name__)

Database = Engine  # "engine" is our word for what runs instances

PATIENCE = 5.0  # seconds a writer waits for those before it
LAST = 0.5  # … and for other processes, however long it has waited here
_WAIT = "busy_timeout=5000"
PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    _WAIT,
    "synchronous=NORMAL",
    "cache_size=-512",  # KB for each connection, beside the system's own cache of the file
)


class UtcDateTime(TypeDecorator[datetime]):
    """A column of moments: kept in UTC, and never without their zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any zone into UTC; refuse a moment that has none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment needs its zone: ask kit.clock.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value else None

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        """Read SQLite's text and give it its zone in one step: lists hold many moments."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return lambda text: datetime.fromisoformat(text + "+00:00") if text else None


@dataclass
class UnitOfWork:
    """A transaction, on whose behalf it runs, and the operation it is part of."""

    connection: Connection
    actor: str | None = None
    correlation: str | None = None
    actor_kind: str = "platform"
    afterwards: list[Callable[["UnitOfWork"], None]] = field(default_factory=list)
    """What is written in a transaction of its own, even when this one only reads or fails."""
    once_kept: list[Callable[[], object]] = field(default_factory=list)
    """What a request asks of the world outside once it is written down; see ``kit.web``."""
    caller: Caller | None = None
    """Where the request came from whose transaction this is."""


@contextmanager
def unit_of_work(
    database: Database,
    *,
    actor: str | None = None,
    correlation: str | None = None,
    actor_kind: str = "platform",
) -> Generator[UnitOfWork]:
    """Open a transaction that may write; commit at the end, roll back on any error."""
    # A writer takes its place at once: a reader that turns writer later finds the place taken.
    writer = database.connect().execution_options(begin="BEGIN IMMEDIATE")
    uow = UnitOfWork(writer, actor, correlation, actor_kind)
    before = None
    try:
        with _in_turn(database) as left, writer as connection:
            connection.execution_options(left=left)
            with connection.begin():
                before = _changes(connection)
                yield uow
                is_changed = before is None or _changes(connection) != before
        if is_changed:  # a look that changed nothing wakes nobody
            bell.ring()
    finally:
        _write_afterwards(database, uow)


@contextmanager
def reading(database: Database) -> Generator[UnitOfWork]:
    """Open a transaction that only reads, beside any writer; what it writes is not kept."""
    with database.connect() as connection:
        uow = UnitOfWork(connection)
        try:
            yield uow
        finally:
            connection.rollback()
            _write_afterwards(database, uow)


def open_database(url: str) -> Database:
    """Open the database at ``url``; SQLite is set up as a server needs it."""
    # However many requests wait for a machine that hangs, another finds a connection.
    database = create_engine(url, max_overflow=-1)
    if database.dialect.name == "sqlite":
        listen(database, "connect", _set_up)
        listen(database, "begin", _begin)
    return database


_turns: WeakKeyDictionary[Database, threading.Lock] = WeakKeyDictionary()


@contextmanager
def _in_turn(database: Database) -> Generator[float]:
    """Let the writers of this process queue here, where nobody starves; give the patience left.

    SQLite lets them poll, and the one that sleeps longest loses.
    """
    if database.dialect.name != "sqlite":
        yield PATIENCE
        return
    turn, came = _turns.setdefault(database, threading.Lock()), time.monotonic()
    if not turn.acquire(timeout=PATIENCE):
        locked = sqlite3.OperationalError("database is locked")
        raise OperationalError("BEGIN IMMEDIATE", None, locked)
    try:
        yield PATIENCE - (time.monotonic() - came)
    finally:
        turn.release()


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    """Let us say BEGIN ourselves: the driver's own comes late and is never immediate."""
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _changes(connection: Connection) -> int | None:
    """Return how many rows this connection ever changed; None where nobody counts."""
    raw = connection.connection.dbapi_connection
    return raw.total_changes if isinstance(raw, sqlite3.Connection) else None


def _write_afterwards(database: Database, uow: UnitOfWork) -> None:
    """Write what must be known whatever became of the transaction: refusals, reads."""
    if not uow.afterwards:
        return
    try:
        with unit_of_work(
            database, actor=uow.actor, correlation=uow.correlation, actor_kind=uow.actor_kind
        ) as own:
            own.caller = uow.caller
            for write in uow.afterwards:
                write(own)
    except OperationalError as why:  # what was asked is answered all the same
        log.warning("What was read or refused could not be written down: %s", why)


def _begin(connection: Connection) -> None:
    """Begin; who has waited here for others waits for other processes as much less."""
    options = connection.get_execution_options()
    left = options.get("left", PATIENCE)
    is_short = left < PATIENCE - LAST
    if is_short:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(max(left, LAST) * 1000)}")
    try:
        connection.exec_driver_sql(options.get("begin", "BEGIN"))
    finally:
        if is_short:
            connection.exec_driver_sql(f"PRAGMA {_WAIT}")
