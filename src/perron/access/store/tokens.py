"""Where tokens are kept: the digests of their texts."""

from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, select

from perron.access.model.tokens import Token
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.questions import Question, columns_of
from perron.kit.tables import metadata

from .rows import many, one

tokens = Table(
    "token",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime),
    Column("last_used", UtcDateTime),
    Column("revoked", UtcDateTime),
    Column("app", String, index=True),
    Column("team", String, index=True),
    Column("role", String),
)
_TOKEN = columns_of(Token, tokens)
_WITH = Question(select(*_TOKEN).where(tokens.c.digest == bindparam("digest")))


def token_with(uow: UnitOfWork, digest: str) -> Token | None:
    """Return the token with that digest."""
    return _WITH.noun(uow, Token, digest=digest)


def find(uow: UnitOfWork, id: str) -> Token | None:
    """Return the token by id, if there is one."""
    return one(uow, Token, select(*_TOKEN).where(tokens.c.id == id))


def of_person(uow: UnitOfWork, person: str) -> list[Token]:
    """Return the tokens of a person, oldest first."""
    query = select(*_TOKEN).where(tokens.c.person == person).order_by(tokens.c.id)
    return many(uow, Token, query)


def of_app(uow: UnitOfWork, app: str) -> list[Token]:
    """Return the tokens that reach one app alone, oldest first."""
    query = select(*_TOKEN).where(tokens.c.app == app).order_by(tokens.c.id)
    return many(uow, Token, query)


def of_team(uow: UnitOfWork, team: str) -> list[Token]:
    """Return the tokens that reach one app of the team alone, oldest first."""
    query = select(*_TOKEN).where(tokens.c.team == team).order_by(tokens.c.id)
    return many(uow, Token, query)


def change(uow: UnitOfWork, id: str, **values: Any) -> None:
    """Write down that a token was used, is revoked, or that its app has moved."""
    uow.connection.execute(tokens.update().where(tokens.c.id == id).values(**values))
