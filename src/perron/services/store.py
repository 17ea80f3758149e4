"""Where volumes are kept; their files are the agent's."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, String, Table, func, select

from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.tables import metadata

from .model import Volume

volumes = Table(
    "volume",
    metadata,
    Column("environment", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("mount", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)


def add(uow: UnitOfWork, volume: Volume) -> None:
    """Keep a new volume."""
    uow.connection.execute(volumes.insert().values(**vars(volume)))


def of(uow: UnitOfWork, environment: str) -> list[Volume]:
    """Return the environment's volumes, by name."""
    query = select(volumes).where(volumes.c.environment == environment).order_by(volumes.c.name)
    return [Volume(**row) for row in uow.connection.execute(query).mappings()]


def size_of_all(uow: UnitOfWork, environments: Sequence[str]) -> int:
    """Return the sizes of all volumes of these environments, added up."""
    query = select(func.sum(volumes.c.size)).where(volumes.c.environment.in_(environments))
    return uow.connection.execute(query).scalar() or 0


def remove(uow: UnitOfWork, environment: str, name: str) -> None:
    """Forget one volume."""
    this = (volumes.c.environment == environment) & (volumes.c.name == name)
    uow.connection.execute(volumes.delete().where(this))


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget every volume of an environment."""
    uow.connection.execute(volumes.delete().where(volumes.c.environment == environment))
