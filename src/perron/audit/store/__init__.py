"""Where links are kept, and how the spine is read for them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Integer, String, Table, func, select

from perron.audit.model import ChainRestarted, Link, digest_of
from perron.kit.db import UnitOfWork
from perron.kit.spine import Event, events
from perron.kit.tables import metadata

AT_ONCE = 500
NAMED = ("perron.app.added.v1", "perron.app.renamed.v1")

links = Table(
    "audit_link",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("digest", String, nullable=False, index=True),
    Column("chain", String, nullable=False),
)


@dataclass(frozen=True)
class Wanted:
    """Which events to list; None stands for any. ``teams``: only theirs."""

    teams: Sequence[str] | None = None
    app: Sequence[str] | None = None
    environment: str | None = None
    actor: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0


def last_link(uow: UnitOfWork) -> Link | None:
    """Return where the chain ends."""
    row = uow.connection.execute(select(links).order_by(links.c.position.desc()).limit(1)).first()
    return Link(**row._mapping) if row else None


def add(uow: UnitOfWork, new: Iterable[Link]) -> None:
    """Keep links."""
    rows = [vars(link) for link in new]
    if rows:
        uow.connection.execute(links.insert(), rows)


def empty(uow: UnitOfWork) -> None:
    """Forget every link, to make them anew."""
    uow.connection.execute(links.delete())


def link_for(uow: UnitOfWork, event: Event) -> Link | None:
    """Return the link an event was given, wherever the event stands now."""
    return _link(uow, links.c.digest == digest_of(event))


def link_at(uow: UnitOfWork, position: int) -> Link | None:
    """Return the link of a position, if there is one."""
    return _link(uow, links.c.position == position)


def knows_restart(uow: UnitOfWork, head: str) -> bool:
    """Say whether it is written down that the chain was restarted by this head."""
    query = select(events.c.data).where(events.c.type == ChainRestarted.type)
    return any(data["head"] == head for data in uow.connection.execute(query).scalars())


def unlinked(uow: UnitOfWork, after: int) -> list[Event]:
    """Return some events after a position, in order."""
    return _events(uow, events.c.position > after)


def count_after(uow: UnitOfWork, after: int) -> int:
    """Count the events after a position."""
    query = select(func.count()).select_from(events).where(events.c.position > after)
    return uow.connection.execute(query).scalar() or 0


def both(uow: UnitOfWork) -> Iterator[tuple[int, Event | None, Link | None]]:
    """Give every position with its event and its link, in order; either may be missing."""
    after = 0
    while True:
        known = {event.position: event for event in _events(uow, events.c.position > after)}
        linked = {link.position: link for link in _links(uow, after)}
        full = [max(each) for each in (known, linked) if len(each) == AT_ONCE]
        through = min(full) if full else None
        for position in sorted(known.keys() | linked.keys()):
            if through is not None and position > through:
                break
            yield position, known.get(position), linked.get(position)
        if through is None:
            return
        after = through


def page(uow: UnitOfWork, wanted: Wanted, limit: int) -> list[Event]:
    """Return some events, newest first."""
    query = select(events).where(_matches(wanted)).order_by(events.c.position.desc()).limit(limit)
    return [Event(**row) for row in uow.connection.execute(query).mappings()]


def first_from(uow: UnitOfWork, origins: Sequence[str]) -> int | None:
    """Return the first event that came from one of these origins."""
    query = select(func.min(events.c.position)).where(events.c.origin.in_(origins))
    return uow.connection.execute(query).scalar()


def app_names(uow: UnitOfWork) -> dict[str, str]:
    """Return what every app was last called, those included that are gone."""
    query = select(events.c.subject, events.c.data).where(events.c.type.in_(NAMED))
    rows = uow.connection.execute(query.order_by(events.c.position))
    return {row.subject: row.data["name"] for row in rows}


def _events(uow: UnitOfWork, which: ColumnElement[bool]) -> list[Event]:
    query = select(events).where(which).order_by(events.c.position).limit(AT_ONCE)
    return [Event(**row) for row in uow.connection.execute(query).mappings()]


def _link(uow: UnitOfWork, which: ColumnElement[bool]) -> Link | None:
    row = uow.connection.execute(select(links).where(which).limit(1)).first()
    return Link(**row._mapping) if row else None


def _links(uow: UnitOfWork, after: int) -> list[Link]:
    query = select(links).where(links.c.position > after).order_by(links.c.position).limit(AT_ONCE)
    return [Link(**row) for row in uow.connection.execute(query).mappings()]


def _matches(wanted: Wanted) -> ColumnElement[bool]:
    column = events.c
    which: ColumnElement[bool] = column.position > 0
    if wanted.teams is not None:
        which &= column.team.in_(wanted.teams)
    if wanted.app is not None:
        which &= column.app.in_(wanted.app)
    for name in ("environment", "actor"):
        if value := getattr(wanted, name):
            which &= column[name] == value
    if wanted.type:
        which &= column.type.startswith(_full(wanted.type), autoescape=True)
    return which & _when(wanted)


def _when(wanted: Wanted) -> ColumnElement[bool]:
    column = events.c
    which: ColumnElement[bool] = column.position > 0
    if wanted.since:
        which &= column.recorded >= wanted.since
    if wanted.until:
        which &= column.recorded < wanted.until
    if wanted.before:
        which &= column.position < wanted.before
    return which


def _full(type: str) -> str:
    return type if type.startswith("perron.") else f"perron.{type}"
