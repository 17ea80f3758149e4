"""Where sessions, one-time links and waiting command lines are kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, func, select

from perron.access.model.sessions import Link, Login, Session
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.questions import Question, columns_of
from perron.kit.tables import metadata

from .rows import many, one

sessions = Table(
    "session",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("created", UtcDateTime, nullable=False),
    Column("last_used", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("address", String),
    Column("agent", String),
    Column("token", ForeignKey("token.id"), index=True),
    Column("ended", UtcDateTime),
)
links = Table(
    "link",
    metadata,
    Column("digest", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("made_by", String, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("token", ForeignKey("token.id")),
    Column("used", UtcDateTime),
)
logins = Table(
    "login",
    metadata,
    Column("code", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("name", String, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("address", String),
    Column("agent", String),
    Column("person", ForeignKey("person.id")),
    Column("used", UtcDateTime),
)
_SESSION = columns_of(Session, sessions)
_WITH = Question(select(*_SESSION).where(sessions.c.digest == bindparam("digest")))


def session_with(uow: UnitOfWork, digest: str) -> Session | None:
    """Return the session with that digest."""
    return _WITH.noun(uow, Session, digest=digest)


def find_session(uow: UnitOfWork, id: str) -> Session | None:
    """Return the session by id, if there is one."""
    return one(uow, Session, select(*_SESSION).where(sessions.c.id == id))


def sessions_of(uow: UnitOfWork, person: str) -> list[Session]:
    """Return the sessions of a person that nobody ended, oldest first."""
    these = (sessions.c.person == person) & sessions.c.ended.is_(None)
    return many(uow, Session, select(*_SESSION).where(these).order_by(sessions.c.id))


def sessions_by(uow: UnitOfWork, token: str) -> list[Session]:
    """Return the sessions that a token opened and nobody ended."""
    these = (sessions.c.token == token) & sessions.c.ended.is_(None)
    return many(uow, Session, select(*_SESSION).where(these))


def set_session(uow: UnitOfWork, id: str, **values: Any) -> None:
    """Write down that a session was used, or ended."""
    uow.connection.execute(sessions.update().where(sessions.c.id == id).values(**values))


def forget_places(uow: UnitOfWork, person: str) -> None:
    """Forget from where somebody signed in."""
    these = sessions.update().where(sessions.c.person == person)
    uow.connection.execute(these.values(address=None, agent=None))
    uow.connection.execute(logins.delete().where(logins.c.person == person))


def link_with(uow: UnitOfWork, digest: str, kind: str) -> Link | None:
    """Return the link with that digest."""
    this = (links.c.digest == digest) & (links.c.kind == kind)
    return one(uow, Link, select(links).where(this))


def use_link(uow: UnitOfWork, digest: str, at: datetime) -> None:
    """Write down that a link was used."""
    uow.connection.execute(links.update().where(links.c.digest == digest).values(used=at))


def drop_links(uow: UnitOfWork, person: str) -> None:
    """Let no link of a person work any more."""
    uow.connection.execute(links.delete().where(links.c.person == person))


def drop_links_by(uow: UnitOfWork, token: str) -> None:
    """Let no link work any more that a token made."""
    uow.connection.execute(links.delete().where(links.c.token == token))


def login_with(uow: UnitOfWork, code: str) -> Login | None:
    """Return the command line that shows this code."""
    return one(uow, Login, select(logins).where(logins.c.code == code))


def count_logins(uow: UnitOfWork, at: datetime, address: str) -> tuple[int, int]:
    """Return how many command lines wait from an address, and in all."""
    waiting = logins.c.expires > at
    everywhere = select(func.count()).select_from(logins).where(waiting)
    there = everywhere.where(logins.c.address == address)
    return (
        int(uow.connection.execute(there).scalar_one()),
        int(uow.connection.execute(everywhere).scalar_one()),
    )


def set_login(uow: UnitOfWork, code: str, **values: Any) -> None:
    """Write down that a command line was approved, or has its token."""
    uow.connection.execute(logins.update().where(logins.c.code == code).values(**values))


def drop_login(uow: UnitOfWork, code: str) -> None:
    """Forget a command line that was refused."""
    uow.connection.execute(logins.delete().where(logins.c.code == code))


def prune(uow: UnitOfWork, before: datetime) -> None:
    """Forget what ended long ago."""
    for table in (sessions, links, logins):
        uow.connection.execute(table.delete().where(table.c.expires < before))
    uow.connection.execute(sessions.delete().where(sessions.c.ended < before))
