"""A request that is sent twice is done once: answers kept by the caller's Idempotency-Key."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Column, Integer, LargeBinary, String, Table, select

from . import clock
from .db import UnitOfWork, UtcDateTime
from .problems import Conflict, Unprocessable
from .tables import metadata

KEPT = timedelta(hours=24)

answers = Table(
    "answer",
    metadata,
    Column("caller", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary),
    Column("media_type", String),
    Column("made", UtcDateTime, nullable=False, index=True),
)


class KeyReused(Unprocessable):
    """The Idempotency-Key belongs to another request."""


class KeyRefused(Unprocessable):
    """The Idempotency-Key cannot be used."""


class AnswerNotKept(Conflict):
    """The request was done before, and its answer held a secret that is kept nowhere."""


@dataclass(frozen=True)
class Asked:
    """One request, by who sends it, its key, and a digest of what it says."""

    caller: str
    key: str
    request: str


class Recalled(Exception):
    """The request was done before; this is what was answered."""

    def __init__(self, status: int, body: bytes, media_type: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.media_type = media_type


def recall(uow: UnitOfWork, asked: Asked) -> None:
    """Raise Recalled when the request was done before; return when it is new."""
    this = (answers.c.caller == asked.caller) & (answers.c.key == asked.key)
    query = select(answers).where(this & (answers.c.made > clock.now() - KEPT))
    row = uow.connection.execute(query).first()
    if row is None:
        return
    if row.request != asked.request:
        raise KeyReused(
            "This Idempotency-Key was used for another request; use a new key for a new request.",
            key=asked.key,
        )
    if row.body is None:
        raise AnswerNotKept(
            "This was done before, and its answer held a secret that is shown only once; "
            "revoke what it made, then ask again with a new Idempotency-Key.",
            key=asked.key,
        )
    raise Recalled(row.status, row.body, row.media_type)


def keep(
    uow: UnitOfWork, asked: Asked, *, status: int, body: bytes | None, media_type: str | None
) -> None:
    """Keep an answer in the transaction of what it tells; let go of those that are a day old."""
    prune(uow)
    row = {"status": status, "body": body, "media_type": media_type, "made": clock.now()}
    uow.connection.execute(answers.insert().values(**vars(asked), **row))


def forget(uow: UnitOfWork, asked: Asked) -> None:
    """Let go of an answer, because what it tells did not come to be."""
    this = (answers.c.caller == asked.caller) & (answers.c.key == asked.key)
    uow.connection.execute(answers.delete().where(this))


def prune(uow: UnitOfWork) -> int:
    """Let go of answers that are a day old; return how many."""
    old = answers.c.made <= clock.now() - KEPT
    return uow.connection.execute(answers.delete().where(old)).rowcount
