"""Where schedules and their runs are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Float,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
    tuple_,
)

from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.tables import metadata

from .model import UNFINISHED, Run, Schedule

KEPT = 200  # runs of one schedule
schedules = Table(
    "schedule",
    metadata,
    Column("id", String, primary_key=True),
    Column("environment", String, nullable=False),
    Column("name", String, nullable=False),
    Column("expression", String, nullable=False),
    Column("zone", String, nullable=False),
    Column("command", String, nullable=False),
    Column("overlap", String, nullable=False),
    Column("timeout", Float, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("origin", String, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("next_at", UtcDateTime, index=True),
    UniqueConstraint("environment", "name"),
)
runs = Table(
    "schedule_run",
    metadata,
    Column("id", String, primary_key=True),
    Column("schedule", String, nullable=False),
    Column("fire_at", UtcDateTime, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("by_hand", Boolean, nullable=False),
    Column("by", String, nullable=False),
    Column("release", Integer),
    Column("started", UtcDateTime),
    Column("finished", UtcDateTime),
    Column("exit_code", Integer),
    Column("text", String, nullable=False),
    Column("is_ending", Boolean, nullable=False),
    UniqueConstraint("schedule", "fire_at"),  # no time comes twice
)


def save(uow: UnitOfWork, schedule: Schedule) -> None:
    """Keep a schedule, in place of what was known of it."""
    drop(uow, schedule.id)
    uow.connection.execute(schedules.insert().values(**vars(schedule)))


def drop(uow: UnitOfWork, id: str) -> None:
    """Forget a schedule, but not its runs."""
    uow.connection.execute(schedules.delete().where(schedules.c.id == id))


def set_next(uow: UnitOfWork, id: str, next_at: datetime | None) -> None:
    """Write down when a schedule comes next."""
    this = schedules.update().where(schedules.c.id == id)
    uow.connection.execute(this.values(next_at=next_at))


def forget_runs(uow: UnitOfWork, schedule: str) -> None:
    """Forget every run of a schedule."""
    uow.connection.execute(runs.delete().where(runs.c.schedule == schedule))


def of(uow: UnitOfWork, environment: str) -> list[Schedule]:
    """Return the schedules of an environment, by name."""
    return _schedules(uow, schedules.c.environment == environment)


def find(uow: UnitOfWork, id: str) -> Schedule | None:
    """Return the schedule by id, if there is one."""
    found = _schedules(uow, schedules.c.id == id)
    return found[0] if found else None


def due(uow: UnitOfWork, now: datetime) -> list[Schedule]:
    """Return the schedules whose time has come."""
    return _schedules(uow, schedules.c.next_at <= now)


def soonest(uow: UnitOfWork) -> datetime | None:
    """Return when the next schedule comes."""
    query = select(schedules.c.next_at).where(schedules.c.next_at.is_not(None))
    return uow.connection.execute(query.order_by(schedules.c.next_at).limit(1)).scalar()


def add_run(uow: UnitOfWork, run: Run) -> None:
    """Keep a run; the oldest of its schedule beyond ``KEPT`` go."""
    uow.connection.execute(runs.insert().values(**vars(run)))
    mine = select(runs.c.id).where(runs.c.schedule == run.schedule)
    over = mine.where(runs.c.state.not_in(UNFINISHED)).order_by(runs.c.fire_at.desc())
    old = over.offset(KEPT)
    gone = uow.connection.execute(old.limit(-1)).scalars().all()
    if gone:
        uow.connection.execute(runs.delete().where(runs.c.id.in_(gone)))


def has_run(uow: UnitOfWork, schedule: str, fire_at: datetime) -> bool:
    """Say whether this time of the schedule has come already."""
    this = (runs.c.schedule == schedule) & (runs.c.fire_at == fire_at)
    return uow.connection.execute(select(runs.c.id).where(this)).first() is not None


def set_run(uow: UnitOfWork, id: str, **values: Any) -> None:
    """Change what is known of a run."""
    uow.connection.execute(runs.update().where(runs.c.id == id).values(**values))


def find_run(uow: UnitOfWork, id: str) -> Run | None:
    """Return the run by id, if it is known."""
    found = _runs(uow, runs.c.id == id, 1)
    return found[0] if found else None


def page(uow: UnitOfWork, schedule: str, before: datetime | None, limit: int) -> list[Run]:
    """Return some runs of a schedule, newest first."""
    which: ColumnElement[bool] = runs.c.schedule == schedule
    if before is not None:
        which &= runs.c.fire_at < before
    return _runs(uow, which, limit)


def last_runs(uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Run]:
    """Return the newest run of each of these schedules."""
    newest = select(runs.c.schedule, func.max(runs.c.fire_at)).where(runs.c.schedule.in_(ids))
    pair = tuple_(runs.c.schedule, runs.c.fire_at)
    found = _runs(uow, pair.in_(newest.group_by(runs.c.schedule)), len(ids))
    return {run.schedule: run for run in found}


def unfinished(uow: UnitOfWork, schedule: str | None = None) -> list[Run]:
    """Return the runs that wait or go on, of one schedule or of all, oldest first."""
    which: ColumnElement[bool] = runs.c.state.in_(UNFINISHED)
    if schedule is not None:
        which &= runs.c.schedule == schedule
    rows = uow.connection.execute(select(runs).where(which).order_by(runs.c.fire_at)).mappings()
    return [Run(**row) for row in rows]


def _schedules(uow: UnitOfWork, which: ColumnElement[bool]) -> list[Schedule]:
    query = select(schedules).where(which).order_by(schedules.c.name)
    return [Schedule(**row) for row in uow.connection.execute(query).mappings()]


def _runs(uow: UnitOfWork, which: ColumnElement[bool], limit: int) -> list[Run]:
    query = select(runs).where(which).order_by(runs.c.fire_at.desc()).limit(limit)
    return [Run(**row) for row in uow.connection.execute(query).mappings()]
