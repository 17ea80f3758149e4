"""The table of volumes: which there are, and how large each may grow."""

from sqlalchemy import BigInteger, Column, String, Table, select

from perron.agent.store import metadata
from perron.kit.db import UnitOfWork

volumes = Table(
    "volume",
    metadata,
    Column("environment", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
)


def keep(uow: UnitOfWork, environment: str, name: str, size: int) -> None:
    """Write down a volume, or its new size."""
    drop(uow, environment, name)
    row = {"environment": environment, "name": name, "size": size}
    uow.connection.execute(volumes.insert().values(**row))


def drop(uow: UnitOfWork, environment: str, name: str) -> None:
    """Forget one volume."""
    one = (volumes.c.environment == environment) & (volumes.c.name == name)
    uow.connection.execute(volumes.delete().where(one))


def of_environment(uow: UnitOfWork, environment: str) -> dict[str, int]:
    """Return the sizes of an environment's volumes by name."""
    query = select(volumes.c.name, volumes.c.size).where(volumes.c.environment == environment)
    rows = uow.connection.execute(query.order_by(volumes.c.name))
    return {name: size for name, size in rows}


def everything(uow: UnitOfWork) -> list[tuple[str, str, int]]:
    """Return environment, name and size of every volume."""
    rows = uow.connection.execute(select(volumes).order_by(volumes.c.environment))
    return [(environment, name, size) for environment, name, size in rows]
