"""Where wishes are kept, sealed: what instances are told is part of them."""

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, func, select

from perron.contract.node import EnvironmentWish
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.seal import Sealer
from perron.kit.tables import metadata
from perron.kit.whereabouts import sealer_of

from .model import Acceptance, Sighting, Wish

wishes = Table(
    "wish",
    metadata,
    Column("environment", String, primary_key=True),
    Column("generation", Integer, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("gone", Boolean, nullable=False),
)
floors = Table(
    "wish_floor",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("generation", Integer, nullable=False),
)
acceptances = Table(
    "acceptance",
    metadata,
    Column("risk", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
sightings = Table(
    "sighting",
    metadata,
    Column("instance", String, primary_key=True),
    Column("environment", String, nullable=False, index=True),
    Column("exit_at", UtcDateTime),
    Column("restarts", Integer, nullable=False),
)


def save(uow: UnitOfWork, wish: Wish) -> None:
    """Keep a wish in place of the environment's earlier one."""
    remove(uow, wish.environment)
    sealed = sealer_of(uow).seal(wish.wish.model_dump_json(), owner=wish.environment)
    row = {"environment": wish.environment, "generation": wish.generation, "gone": False}
    uow.connection.execute(wishes.insert().values(**row, sealed=sealed))


def save_gone(uow: UnitOfWork, environment: str, generation: int) -> None:
    """Keep that nothing of the environment should be left."""
    remove(uow, environment)
    row = {"environment": environment, "generation": generation, "gone": True, "sealed": b""}
    uow.connection.execute(wishes.insert().values(**row))


def remove(uow: UnitOfWork, environment: str) -> None:
    """Forget a wish; the engine parks what it has of it."""
    uow.connection.execute(wishes.delete().where(wishes.c.environment == environment))


def find(uow: UnitOfWork, environment: str) -> Wish | None:
    """Return the environment's wish, if something should run."""
    query = select(wishes).where(wishes.c.environment == environment, wishes.c.gone.is_(False))
    row = uow.connection.execute(query).first()
    return _opened(sealer_of(uow), row.environment, row.generation, row.sealed) if row else None


def generation_of(uow: UnitOfWork, environment: str) -> int | None:
    """Return the generation of the environment's wish or of its going, if there is one."""
    query = select(wishes.c.generation).where(wishes.c.environment == environment)
    return uow.connection.execute(query).scalar()


def is_gone(uow: UnitOfWork, environment: str) -> bool:
    """Say whether nothing of the environment should be left."""
    query = select(wishes.c.gone).where(wishes.c.environment == environment)
    return bool(uow.connection.execute(query).scalar())


def newest_generation(uow: UnitOfWork) -> int:
    """Return the generation of the newest change; it only ever grows."""
    newest = uow.connection.execute(select(func.max(wishes.c.generation))).scalar() or 0
    floor = uow.connection.execute(select(func.max(floors.c.generation))).scalar() or 0
    return max(newest, floor)


def raise_floor(uow: UnitOfWork, generation: int) -> None:
    """Have every later generation be higher than this one."""
    uow.connection.execute(floors.delete())
    uow.connection.execute(floors.insert().values(id=1, generation=generation))


def generations(uow: UnitOfWork) -> dict[str, int]:
    """Return the generation of every wish, by environment."""
    query = select(wishes.c.environment, wishes.c.generation).where(wishes.c.gone.is_(False))
    rows = uow.connection.execute(query.order_by(wishes.c.environment))
    return {row.environment: row.generation for row in rows}


def those(uow: UnitOfWork, environments: Sequence[str]) -> list[Wish]:
    """Return the wishes of these environments."""
    sealer = sealer_of(uow)
    rows = uow.connection.execute(select(wishes).where(wishes.c.gone.is_(False)))
    wanted = {*environments}
    return [
        _opened(sealer, row.environment, row.generation, row.sealed)
        for row in rows
        if row.environment in wanted
    ]


def all_gone(uow: UnitOfWork) -> list[str]:
    """Return every environment of which nothing should be left."""
    query = select(wishes.c.environment).where(wishes.c.gone.is_(True))
    return [row.environment for row in uow.connection.execute(query)]


def accepted(uow: UnitOfWork) -> list[Acceptance]:
    """Return every risk that was accepted."""
    rows = uow.connection.execute(select(acceptances).order_by(acceptances.c.risk)).mappings()
    return [Acceptance(**row) for row in rows]


def accept(uow: UnitOfWork, acceptance: Acceptance) -> None:
    """Keep that a risk was accepted."""
    uow.connection.execute(acceptances.insert().values(**vars(acceptance)))


def refuse(uow: UnitOfWork, risk: str) -> bool:
    """Forget that a risk was accepted; say whether it was."""
    gone = uow.connection.execute(acceptances.delete().where(acceptances.c.risk == risk))
    return bool(gone.rowcount)


def all_sightings(uow: UnitOfWork) -> dict[str, Sighting]:
    """Return what was written down of every instance."""
    rows = uow.connection.execute(select(sightings)).mappings()
    return {row["instance"]: Sighting(**row) for row in rows}


def remember(uow: UnitOfWork, seen: Sequence[Sighting]) -> None:
    """Write down how instances were last seen."""
    if seen:
        forget_sightings(uow, [each.instance for each in seen])
        uow.connection.execute(sightings.insert(), [vars(each) for each in seen])


def forget_sightings(uow: UnitOfWork, instances: Sequence[str]) -> None:
    """Forget instances that are gone."""
    uow.connection.execute(sightings.delete().where(sightings.c.instance.in_(instances)))


def _opened(sealer: Sealer, environment: str, generation: int, sealed: bytes) -> Wish:
    text = sealer.open(sealed, owner=environment)
    return Wish(environment, generation, EnvironmentWish.model_validate_json(text))
