"""Where configuration is kept: every value sealed, bound to its environment and key."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, select

from perron.kit import clock
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.tables import metadata
from perron.kit.whereabouts import sealer_of

from .model import Kept, Value

entries = Table(
    "config_entry",
    metadata,
    Column("environment", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("secret", Boolean, nullable=False),
    Column("build", Boolean, nullable=False),
    Column("changed", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
)
snapshots = Table(
    "config_snapshot",
    metadata,
    Column("id", String, primary_key=True),
    Column("environment", String, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("taken", UtcDateTime, nullable=False),
)


def put(uow: UnitOfWork, environment: str, name: str, value: Value) -> None:
    """Keep one value in place of any earlier one."""
    remove(uow, environment, name)
    sealed = sealer_of(uow).seal(value.text, owner=f"{environment}/{name}")
    uow.connection.execute(
        entries.insert().values(
            environment=environment,
            name=name,
            sealed=sealed,
            secret=value.secret,
            build=value.build,
            changed=clock.now(),
            by=uow.actor or "perron",
        )
    )


def remove(uow: UnitOfWork, environment: str, name: str) -> bool:
    """Forget one key; say whether it was there."""
    this = (entries.c.environment == environment) & (entries.c.name == name)
    return uow.connection.execute(entries.delete().where(this)).rowcount == 1


def kept(uow: UnitOfWork, environment: str) -> list[Kept]:
    """Return every key of the environment with its value, by name."""
    query = select(entries).where(entries.c.environment == environment).order_by(entries.c.name)
    rows = uow.connection.execute(query).all()
    sealer = sealer_of(uow) if rows else None
    return [
        Kept(
            name=row.name,
            value=Value(
                sealer.open(row.sealed, owner=f"{environment}/{row.name}"), row.secret, row.build
            ),
            changed=row.changed,
            by=row.by,
        )
        for row in rows
        if sealer
    ]


def keep_snapshot(uow: UnitOfWork, id: str, environment: str, values: Mapping[str, Value]) -> None:
    """Keep a whole configuration as it is at this moment."""
    text = json.dumps({name: asdict(value) for name, value in values.items()})
    row = {"id": id, "environment": environment, "taken": clock.now()}
    sealed = sealer_of(uow).seal(text, owner=f"{environment}/{id}")
    uow.connection.execute(snapshots.insert().values(**row, sealed=sealed))


def snapshot(uow: UnitOfWork, id: str) -> dict[str, Value] | None:
    """Return a configuration kept before, if it is still there."""
    row = uow.connection.execute(select(snapshots).where(snapshots.c.id == id)).first()
    if row is None:
        return None
    text = sealer_of(uow).open(row.sealed, owner=f"{row.environment}/{id}")
    return {name: Value(**value) for name, value in json.loads(text).items()}


def drop_snapshots(uow: UnitOfWork, ids: list[str]) -> None:
    """Forget configurations that no rollback needs any more."""
    uow.connection.execute(snapshots.delete().where(snapshots.c.id.in_(ids)))


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget everything the environment was ever told."""
    for table in (entries, snapshots):
        uow.connection.execute(table.delete().where(table.c.environment == environment))
