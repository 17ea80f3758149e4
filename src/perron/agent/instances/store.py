"""The table of instances: enough to find each one again after any end of the agent."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    bindparam,
    select,
)

from perron.agent.store import metadata
from perron.contract.node import Exit, InstanceState, ProcessSet
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.seal import Sealer

from .model import Instance

instances = Table(
    "instance",
    metadata,
    Column("id", String, primary_key=True),
    Column("environment", String, nullable=False, index=True),
    Column("process", String, nullable=False),
    Column("release", Integer, nullable=False),
    Column("revision", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("port", Integer),
    Column("state", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("started", UtcDateTime),
    Column("rotating", Boolean, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("crashes", JSON, nullable=False),
    Column("last_exit", JSON),
    Column("message", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)


def add(uow: UnitOfWork, sealer: Sealer, instance: Instance, made_of: ProcessSet) -> None:
    """Write down a new instance and the set it was made of; its configuration is sealed."""
    sealed = sealer.seal(made_of.model_dump_json(), owner=instance.id)
    uow.connection.execute(
        instances.insert().values(id=instance.id, sealed=sealed, **_row(instance))
    )


def change(uow: UnitOfWork, *changed: Instance) -> None:
    """Write down how instances are now."""
    rows = [_row(each) | {"the_id": each.id} for each in changed]
    uow.connection.execute(instances.update().where(instances.c.id == bindparam("the_id")), rows)


def remove(uow: UnitOfWork, instance: str) -> None:
    """Forget an instance of which nothing is left."""
    uow.connection.execute(instances.delete().where(instances.c.id == instance))


def everyone(uow: UnitOfWork, sealer: Sealer) -> list[tuple[Instance, ProcessSet]]:
    """Return every instance with the set it was made of, oldest first."""
    rows = uow.connection.execute(select(instances).order_by(instances.c.id)).mappings()
    return [(_instance(row), _set(row, sealer)) for row in rows]


def _row(instance: Instance) -> dict[str, Any]:
    ending = instance.last_exit
    return {
        "environment": instance.environment,
        "process": instance.process,
        "release": instance.release,
        "revision": instance.revision,
        "number": instance.number,
        "port": instance.port,
        "state": instance.state.value,
        "since": instance.since,
        "started": instance.started,
        "rotating": instance.rotating,
        "restarts": instance.restarts,
        "crashes": {
            "at": [at.isoformat() for at in instance.crashes],
            "streak": instance.streak,
        },
        "last_exit": ending.model_dump(mode="json") if ending else None,
        "message": instance.message,
    }


def _instance(row: RowMapping) -> Instance:
    crashes = row["crashes"]
    return Instance(
        id=row["id"],
        environment=row["environment"],
        process=row["process"],
        release=row["release"],
        revision=row["revision"],
        number=row["number"],
        port=row["port"],
        state=InstanceState(row["state"]),
        since=row["since"],
        started=row["started"],
        rotating=row["rotating"],
        restarts=row["restarts"],
        crashes=tuple(datetime.fromisoformat(at) for at in crashes["at"]),
        streak=crashes["streak"],
        last_exit=Exit.model_validate(row["last_exit"]) if row["last_exit"] else None,
        message=row["message"],
    )


def _set(row: RowMapping, sealer: Sealer) -> ProcessSet:
    return ProcessSet.model_validate_json(sealer.open(row["sealed"], owner=row["id"]))
