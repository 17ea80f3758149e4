"""Where people are kept."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, String, Table, bindparam, func, select, union_all

from perron.access.model.people import Person
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.questions import Question, among, columns_of
from perron.kit.tables import metadata

from .rows import many, one
from .sessions import sessions
from .tokens import tokens

people = Table(
    "person",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("administrator", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("handle", String, unique=True, index=True),
    Column("email", String),
    Column("password", String),
    Column("erased", UtcDateTime),
)
_NAMED = Question(
    select(*columns_of(Person, people)).where(
        (people.c.id == bindparam("named")) | (people.c.handle == bindparam("named"))
    )
)
_NAMES = Question(
    select(people.c.id, people.c.name).where(among(people.c.id, "ids"), people.c.erased.is_(None))
)


def first_administrator(uow: UnitOfWork) -> Person | None:
    """Return who administers the platform the longest."""
    return one(uow, Person, select(people).where(people.c.administrator).order_by(people.c.id))


def count_administrators(uow: UnitOfWork) -> int:
    """Return how many people administer the platform."""
    query = select(func.count()).select_from(people).where(people.c.administrator)
    return int(uow.connection.execute(query).scalar_one())


def find(uow: UnitOfWork, handle_or_id: str) -> Person | None:
    """Return the person by handle or id, if there is one."""
    return _NAMED.noun(uow, Person, named=handle_or_id)


def everyone(uow: UnitOfWork) -> list[Person]:
    """Return all who were not erased, by handle."""
    return many(
        uow, Person, select(people).where(people.c.erased.is_(None)).order_by(people.c.handle)
    )


def these(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, Person]:
    """Return the people with these ids."""
    found = many(uow, Person, select(people).where(people.c.id.in_(set(ids))))
    return {each.id: each for each in found}


def names_of(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, str]:
    """Return what the people with these ids are called; who was erased is left out."""
    return dict(_NAMES.rows(uow, ids=set(ids)))


def handles(uow: UnitOfWork) -> set[str]:
    """Return every handle there is."""
    query = select(people.c.handle).where(people.c.handle.is_not(None))
    return {str(each) for each in uow.connection.execute(query).scalars()}


def change(uow: UnitOfWork, id: str, **values: Any) -> None:
    """Change columns of a person."""
    uow.connection.execute(people.update().where(people.c.id == id).values(**values))


def last_seen(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, datetime]:
    """Return when these people last used a token or a session."""
    wanted = set(ids)
    used = union_all(
        select(tokens.c.person, tokens.c.last_used).where(tokens.c.person.in_(wanted)),
        select(sessions.c.person, sessions.c.last_used).where(sessions.c.person.in_(wanted)),
    ).subquery()
    query = select(used.c.person, func.max(used.c.last_used).label("at")).group_by(used.c.person)
    return {row.person: row.at for row in uow.connection.execute(query) if row.at}
