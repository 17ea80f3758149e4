"""The spine: everything that happened, in order, written once and never edited."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Protocol

from sqlalchemy import JSON, Column, Index, Integer, String, Table, select

from . import clock, ids, origins
from .db import Database, UnitOfWork, UtcDateTime, reading, unit_of_work
from .tables import metadata

events = Table(
    "event",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("type", String, nullable=False, index=True),
    Column("source", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("time", UtcDateTime, nullable=False),
    Column("recorded", UtcDateTime, nullable=False),
    Column("actor", String, nullable=False),
    Column("actor_kind", String, nullable=False),
    Column("team", String),
    Column("app", String),
    Column("environment", String),
    Column("correlation", String, index=True),
    Column("data", JSON, nullable=False),
    Column("origin", String),
    Index("ix_event_team_position", "team", "position"),  # pages of what happened to whom
    Index("ix_event_app_position", "app", "position"),
    sqlite_autoincrement=True,  # a position is never given twice
)
cursors = Table(
    "cursor",
    metadata,
    Column("reader", String, primary_key=True),
    Column("position", Integer, nullable=False),
)


class Happening(Protocol):
    """A frozen dataclass that says what happened; its fields become the event's data."""

    type: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Whose an event is: ids of team, app and environment, as far as they apply."""

    team: str | None = None
    app: str | None = None
    environment: str | None = None


@dataclass(frozen=True)
class Event:
    """One row of the spine."""

    position: int
    id: str
    type: str
    source: str
    subject: str
    time: datetime
    recorded: datetime
    actor: str
    actor_kind: str
    team: str | None
    app: str | None
    environment: str | None
    correlation: str | None
    data: dict[str, Any]
    origin: str | None = None


NOBODYS = {"local", "unknown"}  # where everybody on the machine comes from
Reactions = Mapping[str, Callable[[UnitOfWork, Event], None]]


def record(
    uow: UnitOfWork, what: Happening, *, subject: str, of: Place, time: datetime | None = None
) -> None:
    """Write down that ``what`` happened, in the transaction that makes it true."""
    now = clock.now()
    row = {
        "id": ids.new("evt"),
        "type": what.type,
        "source": type(what).__module__.removesuffix(".model"),
        "subject": subject,
        "time": time or now,
        "recorded": now,
        "actor": uow.actor or "perron",
        "actor_kind": uow.actor_kind if uow.actor else "platform",
        "correlation": uow.correlation,
        "data": asdict(what),
        "origin": origins.note(uow),
    }
    uow.connection.execute(events.insert().values(**row, **asdict(of)))


def record_once(
    uow: UnitOfWork, what: Happening, *, subject: str, of: Place, every: timedelta
) -> None:
    """Write down ``what`` unless the same actor's same event is less than ``every`` old."""
    if not _is_known(uow, what, subject, clock.now() - every):
        record(uow, what, subject=subject, of=of)


def record_read(
    uow: UnitOfWork,
    what: Happening,
    *,
    subject: str,
    of: Place,
    every: timedelta = timedelta(hours=1),
) -> None:
    """Write down that somebody read something, after the transaction that only reads."""
    if not _is_known(uow, what, subject, clock.now() - every):
        again = partial(record_once, what=what, subject=subject, of=of, every=every)
        uow.afterwards.append(again)


def catch_up(database: Database, reader: str, reactions: Reactions) -> int:
    """Let a reader hear what it has not heard yet; say how many events that was."""
    heard = 0
    while _hear_one(database, reader, reactions):
        heard += 1
    return heard


def has(uow: UnitOfWork, type: str, *, subject: str, environment: str) -> bool:
    """Say whether this ever happened to the subject in that environment."""
    this = (events.c.type == type) & (events.c.subject == subject)
    query = select(events.c.position).where(this, events.c.environment == environment)
    return uow.connection.execute(query.limit(1)).first() is not None


def has_told(uow: UnitOfWork, type: str, *, subject: str) -> bool:
    """Say whether the work this transaction is part of wrote this down of the subject already."""
    this = (events.c.type == type) & (events.c.subject == subject)
    query = select(events.c.position).where(this, events.c.correlation == uow.correlation)
    return uow.connection.execute(query.limit(1)).first() is not None


def forget_whereabouts(uow: UnitOfWork, person: str) -> int:
    """Erase the addresses from which this person alone acted; return how many origins that were.

    An address that others came from as well tells of nobody in particular, and stays for them.
    """
    known = select(origins.origins.c.address).join(events, events.c.origin == origins.origins.c.id)
    theirs = known.where(events.c.actor == person, origins.origins.c.address.is_not(None))
    alone = set(uow.connection.execute(theirs.distinct()).scalars()) - NOBODYS
    is_another = (events.c.actor != person) & (events.c.actor_kind != "platform")
    shared = known.where(is_another, origins.origins.c.address.in_(alone)).distinct()
    alone -= set(uow.connection.execute(shared).scalars())
    return sum(origins.erase(uow, address) for address in alone)


def forget(uow: UnitOfWork, reader: str) -> None:
    """Send a reader back to the start; its room empties its own tables in the same transaction."""
    uow.connection.execute(cursors.delete().where(cursors.c.reader == reader))


def _is_known(uow: UnitOfWork, what: Happening, subject: str, since: datetime) -> bool:
    same = (events.c.subject == subject) & (events.c.actor == (uow.actor or "perron"))
    query = select(events.c.data).where(events.c.type == what.type, same)
    found = uow.connection.execute(query.where(events.c.recorded > since)).scalars()
    return asdict(what) in list(found)


def _hear_one(database: Database, reader: str, reactions: Reactions) -> bool:
    with reading(database) as uow:  # a reader with nothing to hear keeps no writer waiting
        if not _next(uow, reader, reactions):
            return False
    with unit_of_work(database) as uow:  # the reaction and the cursor: both or neither
        if event := _next(uow, reader, reactions):  # another server may have been quicker
            uow.actor, uow.actor_kind = event.actor, event.actor_kind
            uow.correlation = event.correlation
            reactions[event.type](uow, event)
            _move(uow, reader, event.position)
    return True


def _next(uow: UnitOfWork, reader: str, reactions: Reactions) -> Event | None:
    at = select(cursors.c.position).where(cursors.c.reader == reader)
    position = uow.connection.execute(at).scalar() or 0
    unheard = events.c.type.in_(reactions) & (events.c.position > position)
    query = select(events).where(unheard).order_by(events.c.position).limit(1)
    row = uow.connection.execute(query).mappings().first()
    return Event(**row) if row else None


def _move(uow: UnitOfWork, reader: str, position: int) -> None:
    forget(uow, reader)
    uow.connection.execute(cursors.insert().values(reader=reader, position=position))
