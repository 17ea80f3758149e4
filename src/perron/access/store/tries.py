"""Where tries to sign in are counted, so that a restart forgives nobody."""

from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, select

from perron.access.model.patience import Tries
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.tables import metadata

from .rows import one

tries = Table(
    "try",
    metadata,
    Column("bucket", String, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", UtcDateTime, nullable=False, index=True),
)


def under(uow: UnitOfWork, bucket: str) -> Tries | None:
    """Return what went wrong under a bucket, if anything did."""
    return one(uow, Tries, select(tries).where(tries.c.bucket == bucket))


def put(uow: UnitOfWork, now: Tries) -> None:
    """Keep the count of a bucket."""
    forgive(uow, now.bucket)
    uow.connection.execute(tries.insert().values(**vars(now)))


def forgive(uow: UnitOfWork, bucket: str) -> None:
    """Count from nothing again."""
    uow.connection.execute(tries.delete().where(tries.c.bucket == bucket))


def prune(uow: UnitOfWork, before: datetime) -> None:
    """Forget what went wrong long ago."""
    uow.connection.execute(tries.delete().where(tries.c.last < before))
