"""Where releases, their editions, and the scale and standing of environments are kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)

from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.questions import Question, among, columns_of
from perron.kit.tables import metadata
from perron.kit.whereabouts import sealer_of

from .model.editions import Edition
from .model.release import Line, Release, WaitingRun

releases = Table(
    "release",
    metadata,
    Column("id", String, primary_key=True),
    Column("environment", String, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False, index=True),
    Column("root", String, nullable=False),
    Column("config", String, nullable=False),
    Column("config_keys", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("build", String, index=True),
    Column("manifest", JSON),
    Column("rolled_back_to", Integer),
    Column("rollout_at", UtcDateTime),
    Column("live_at", UtcDateTime),
    Column("reason", String),
    Column("requests", Integer),
    Column("lost", JSON),
    Column("first_served", UtcDateTime),
    UniqueConstraint("environment", "number"),
)
editions = Table(
    "edition",
    metadata,
    Column("environment", String, primary_key=True),
    Column("release", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("revision", Integer, primary_key=True),
    Column("phase", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
scales = Table(
    "scale",
    metadata,
    Column("environment", String, primary_key=True),
    Column("process", String, primary_key=True),
    Column("count", Integer, nullable=False),
)
standings = Table(
    "standing",
    metadata,
    Column("environment", String, primary_key=True),
    Column("stopped", Boolean, nullable=False),
)
runs = Table(
    "run_waiting",
    metadata,
    Column("id", String, primary_key=True),
    Column("environment", String, nullable=False),
    Column("release", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("asked", UtcDateTime, nullable=False),
)
_SCALES = Question(
    select(scales.c.environment, scales.c.process, scales.c["count"]).where(
        among(scales.c.environment, "environments")
    )
)
_STOPPED = Question(
    select(standings.c.environment).where(
        standings.c.stopped, among(standings.c.environment, "environments")
    )
)

_LATEST = Question(
    select(releases.c.environment, *columns_of(Line, releases))
    .where(
        (releases.c.state == "live") | (releases.c.state == "asked"),
        among(releases.c.environment, "environments"),
    )
    .order_by(releases.c.number)
)


def add(uow: UnitOfWork, release: Release) -> None:
    """Keep a release."""
    uow.connection.execute(releases.insert().values(**vars(release)))


def find(uow: UnitOfWork, id: str) -> Release | None:
    """Return the release by that id, if there is one."""
    row = uow.connection.execute(select(releases).where(releases.c.id == id)).mappings().first()
    return Release(**row) if row else None


def numbered(uow: UnitOfWork, environment: str, number: int) -> Release | None:
    """Return the environment's release by number, if there is one."""
    this = (releases.c.environment == environment) & (releases.c.number == number)
    row = uow.connection.execute(select(releases).where(this)).mappings().first()
    return Release(**row) if row else None


def history(uow: UnitOfWork, environment: str) -> list[Release]:
    """Return every release of the environment, oldest first."""
    query = select(releases).where(releases.c.environment == environment)
    rows = uow.connection.execute(query.order_by(releases.c.number)).mappings()
    return [Release(**row) for row in rows]


def page(uow: UnitOfWork, environment: str, *, before: int | None, limit: int) -> list[Release]:
    """Return some releases, newest first, below a number."""
    query = select(releases).where(releases.c.environment == environment)
    if before is not None:
        query = query.where(releases.c.number < before)
    rows = uow.connection.execute(query.order_by(releases.c.number.desc()).limit(limit))
    return [Release(**row) for row in rows.mappings()]


def in_state(uow: UnitOfWork, state: str, *environments: str) -> list[Release]:
    """Return the releases in a state, oldest first; of these environments, or of all."""
    query = select(releases).where(releases.c.state == state)
    if environments:
        query = query.where(releases.c.environment.in_(environments))
    rows = uow.connection.execute(query.order_by(releases.c.number)).mappings()
    return [Release(**row) for row in rows]


def any_of(uow: UnitOfWork, environments: Sequence[str]) -> bool:
    """Say whether any of these environments has a release."""
    query = select(releases.c.id).where(releases.c.environment.in_(environments)).limit(1)
    return uow.connection.execute(query).first() is not None


def newest_number(uow: UnitOfWork, environment: str) -> int:
    """Return the number of the newest release; 0 before the first."""
    query = select(func.max(releases.c.number)).where(releases.c.environment == environment)
    return uow.connection.execute(query).scalar() or 0


def change(uow: UnitOfWork, id: str, **values: Any) -> None:
    """Write down what became of a release."""
    uow.connection.execute(releases.update().where(releases.c.id == id).values(**values))


def builds_only_of(uow: UnitOfWork, environments: list[str]) -> list[str]:
    """Return the builds that releases of these environments run, and no others."""
    theirs = releases.c.environment.in_(environments)
    elsewhere = select(releases.c.build).where(~theirs, releases.c.build.is_not(None))
    query = select(releases.c.build).where(theirs, releases.c.build.is_not(None)).distinct()
    return list(uow.connection.execute(query.where(releases.c.build.not_in(elsewhere))).scalars())


def operations_of(uow: UnitOfWork, operations: Sequence[str]) -> set[str]:
    """Return which of these operations a release names as its own."""
    query = select(releases.c.operation).where(releases.c.operation.in_(operations))
    return set(uow.connection.execute(query).scalars())


def unserved(uow: UnitOfWork, since: datetime) -> list[Release]:
    """Return the live releases since a moment of which nobody is known to have been served."""
    query = select(releases).where(
        releases.c.state == "live",
        releases.c.first_served.is_(None),
        releases.c.live_at > since,
    )
    return [Release(**row) for row in uow.connection.execute(query).mappings()]


def editions_of(uow: UnitOfWork, environment: str) -> list[Edition]:
    """Return the environment's editions, oldest first."""
    query = select(editions).where(editions.c.environment == environment)
    query = query.order_by(editions.c.number, editions.c.revision)
    return [Edition(**row) for row in uow.connection.execute(query).mappings()]


def save_edition(uow: UnitOfWork, edition: Edition) -> None:
    """Keep an edition in place of what it was."""
    drop_edition(uow, edition)
    uow.connection.execute(editions.insert().values(**vars(edition)))


def set_phase(uow: UnitOfWork, edition: Edition, phase: str, at: datetime) -> None:
    """Write down where an edition stands."""
    save_edition(uow, replace(edition, phase=phase, since=at))


def drop_edition(uow: UnitOfWork, edition: Edition) -> None:
    """Forget an edition."""
    uow.connection.execute(
        editions.delete().where(
            editions.c.environment == edition.environment,
            editions.c.release == edition.release,
            editions.c.revision == edition.revision,
        )
    )


def scale(uow: UnitOfWork, environment: str) -> dict[str, int]:
    """Return how many instances of each process type are wanted."""
    query = select(scales).where(scales.c.environment == environment).order_by(scales.c.process)
    return {row.process: row._mapping["count"] for row in uow.connection.execute(query)}


def scales_of(uow: UnitOfWork, environments: list[str]) -> dict[str, dict[str, int]]:
    """Return the scale of many environments at once."""
    found: dict[str, dict[str, int]] = {}
    for environment, process, count in _SCALES.rows(uow, environments=environments):
        found.setdefault(environment, {})[process] = count
    return found


def set_scale(uow: UnitOfWork, environment: str, counts: dict[str, int]) -> None:
    """Keep how many instances of these process types are wanted."""
    for process, count in counts.items():
        this = (scales.c.environment == environment) & (scales.c.process == process)
        uow.connection.execute(scales.delete().where(this))
        row = {"environment": environment, "process": process, "count": count}
        uow.connection.execute(scales.insert().values(**row))


def is_stopped(uow: UnitOfWork, environment: str) -> bool:
    """Say whether the environment was stopped."""
    query = select(standings.c.stopped).where(standings.c.environment == environment)
    return bool(uow.connection.execute(query).scalar())


def stopped_of(uow: UnitOfWork, environments: list[str]) -> set[str]:
    """Return which of many environments were stopped."""
    return {environment for (environment,) in _STOPPED.rows(uow, environments=environments)}


def set_stopped(uow: UnitOfWork, environment: str, stopped: bool) -> None:
    """Keep whether the environment is stopped."""
    uow.connection.execute(standings.delete().where(standings.c.environment == environment))
    row = {"environment": environment, "stopped": stopped}
    uow.connection.execute(standings.insert().values(**row))


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget everything of an environment; its events stay."""
    for table in (releases, editions, scales, standings):
        uow.connection.execute(table.delete().where(table.c.environment == environment))


def latest_of(uow: UnitOfWork, environments: list[str]) -> list[tuple[str, Line]]:
    """Return the live and asked releases of many environments at once, each in one line."""
    rows = _LATEST.rows(uow, environments=environments)
    return [(environment, Line(*line)) for environment, *line in rows]


def keep_run(uow: UnitOfWork, run: WaitingRun) -> None:
    """Keep a one-off command until the engine has it; what it says is sealed."""
    sealed = sealer_of(uow).seal(run.request, owner=run.id)
    row = {"id": run.id, "environment": run.environment, "release": run.release}
    uow.connection.execute(runs.insert().values(**row, sealed=sealed, asked=run.asked))


def waiting_runs(uow: UnitOfWork) -> list[WaitingRun]:
    """Return the one-off commands the engine may not have yet, oldest first."""
    rows = uow.connection.execute(select(runs).order_by(runs.c.id)).mappings().all()
    seal = sealer_of(uow) if rows else None
    return [
        WaitingRun(row["id"], row["environment"], row["release"], row["asked"],
                   seal.open(row["sealed"], owner=row["id"]))
        for row in rows if seal
    ]  # fmt: skip


def is_waiting(uow: UnitOfWork, run: str) -> bool:
    """Say whether the engine may not have a one-off command yet."""
    query = select(runs.c.id).where(runs.c.id == run)
    return uow.connection.execute(query).first() is not None


def drop_run(uow: UnitOfWork, run: str) -> None:
    """Forget a one-off command: the engine has it, or never will."""
    uow.connection.execute(runs.delete().where(runs.c.id == run))
