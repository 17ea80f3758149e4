"""The agent's own database: which wishes it heard, and what it gave to whom."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    select,
)

from perron.contract.node import EnvironmentWish
from perron.kit import ids, steps, written
from perron.kit.db import Database, UnitOfWork, UtcDateTime, open_database, unit_of_work
from perron.kit.problems import Conflict
from perron.kit.seal import Sealer
from perron.kit.settings import Home

from . import migrations

metadata = MetaData()  # rooms of the agent add their tables to this collection

facts = Table(
    "fact",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
wishes = Table(
    "wish",
    metadata,
    Column("environment", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("parked", Boolean, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("cut", Integer, nullable=False),
)
uids = Table(
    "uid",
    metadata,
    Column("environment", String, primary_key=True),
    Column("uid", Integer, nullable=False, unique=True),
)
ports = Table(
    "port",
    metadata,
    Column("port", Integer, primary_key=True),
    Column("holder", String, nullable=False),
    Column("freed", UtcDateTime),
)


class NewerState(Conflict):
    """The database was written by a later version of this program."""


@dataclass(frozen=True)
class Kept:
    """A wish the agent keeps; ``parked`` when nobody wishes it any more and nobody let it go."""

    wish: EnvironmentWish
    generation: int
    parked: bool = False
    gone: bool = False
    cut: int = 0


def prepare(home: Home) -> Database:
    """Open the agent's database, at the version this program knows."""
    database = open_database(f"sqlite:///{home.node_database}")
    with unit_of_work(database) as uow:
        present = steps.version_of(uow.connection)
        if present is not None and present not in steps.known(migrations.FOLDER):
            raise NewerState(
                f"{home.node_database} has version {present!r}, which this Perron does not know: "
                f"{written.author(home)} wrote it. Install that version again, then: perron up"
            )
        steps.take(uow.connection, migrations.FOLDER)
    return database


def node_id(uow: UnitOfWork) -> str:
    """Return the name this node gave itself when it first started."""
    if known := fact(uow, "node"):
        return known
    name = ids.new("nod")
    note(uow, "node", name)
    return name


def fact(uow: UnitOfWork, name: str, default: str = "") -> str:
    """Return one remembered fact."""
    return (
        uow.connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()
        or default
    )


def note(uow: UnitOfWork, name: str, value: str) -> None:
    """Remember one fact."""
    uow.connection.execute(facts.delete().where(facts.c.name == name))
    uow.connection.execute(facts.insert().values(name=name, value=value))


def kept(uow: UnitOfWork, sealer: Sealer) -> dict[str, Kept]:
    """Return every wish the agent keeps, by environment."""
    found = {}
    for row in uow.connection.execute(select(wishes).order_by(wishes.c.environment)).mappings():
        text = sealer.open(row["sealed"], owner=row["environment"])
        found[row["environment"]] = Kept(
            EnvironmentWish.model_validate_json(text),
            row["generation"],
            row["parked"],
            row["gone"],
            row["cut"],
        )
    return found


def keep(uow: UnitOfWork, sealer: Sealer, changed: Mapping[str, Kept]) -> None:
    """Write down wishes as they are now; their configuration is sealed."""
    for environment, each in changed.items():
        row = {
            "sealed": sealer.seal(each.wish.model_dump_json(), owner=environment),
            "generation": each.generation,
            "parked": each.parked,
            "gone": each.gone,
            "cut": each.cut,
        }
        drop(uow, environment)
        uow.connection.execute(wishes.insert().values(environment=environment, **row))


def confirm(uow: UnitOfWork, environments: list[str], generation: int) -> None:
    """Say that a newer document wishes the same for these environments."""
    for environment in environments:
        uow.connection.execute(
            wishes.update().where(wishes.c.environment == environment).values(generation=generation)
        )


def drop(uow: UnitOfWork, environment: str) -> None:
    """Forget the wish of an environment that has ended."""
    uow.connection.execute(wishes.delete().where(wishes.c.environment == environment))
