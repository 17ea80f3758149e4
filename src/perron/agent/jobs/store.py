"""Jobs in node.db; what they were asked with is sealed, because it holds configuration."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, select

from perron.agent.store import metadata
from perron.contract.node import Exit, JobSpec, JobState
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.seal import Sealer

from .model import FINISHED, Job, Phase

jobs = Table(
    "job",
    metadata,
    Column("name", String, primary_key=True),
    Column("environment", String, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("asked", UtcDateTime, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("phase", String, nullable=False),
    Column("step", String, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("started", UtcDateTime),
    Column("finished", UtcDateTime),
    Column("exit", String),
    Column("size", Integer),
)


def add(uow: UnitOfWork, sealer: Sealer, job: Job) -> None:
    """Write down a job that was asked for."""
    sealed = sealer.seal(job.spec.model_dump_json(), owner=job.name)
    row = {"name": job.name, "environment": job.spec.environment, "sealed": sealed}
    uow.connection.execute(jobs.insert().values(**row, asked=job.asked, **_changing(job)))


def change(uow: UnitOfWork, job: Job) -> None:
    """Write down how a job stands now."""
    uow.connection.execute(jobs.update().where(jobs.c.name == job.name).values(**_changing(job)))


def find(uow: UnitOfWork, sealer: Sealer, name: str) -> Job | None:
    """Return a job, if it is known."""
    query = select(jobs).where(jobs.c.name == name)
    row = uow.connection.execute(query).mappings().first()
    return _job(sealer, dict(row)) if row else None


def unfinished(uow: UnitOfWork, sealer: Sealer) -> list[Job]:
    """Return every job that has not ended, in the order they were asked for."""
    query = select(jobs).where(jobs.c.state.not_in(FINISHED)).order_by(jobs.c.asked)
    return [_job(sealer, dict(row)) for row in uow.connection.execute(query).mappings()]


def ended(uow: UnitOfWork, sealer: Sealer, environment: str) -> list[Job]:
    """Return every job of an environment that has ended."""
    mine = (jobs.c.environment == environment) & jobs.c.state.in_(FINISHED)
    return [
        _job(sealer, dict(row))
        for row in uow.connection.execute(select(jobs).where(mine)).mappings()
    ]


def forget(uow: UnitOfWork, environment: str) -> None:
    """Delete the finished jobs of an environment."""
    mine = (jobs.c.environment == environment) & jobs.c.state.in_(FINISHED)
    uow.connection.execute(jobs.delete().where(mine))


def prune(uow: UnitOfWork, older_than: datetime) -> None:
    """Delete jobs that ended long ago."""
    uow.connection.execute(jobs.delete().where(jobs.c.finished < older_than))


def _changing(job: Job) -> dict[str, Any]:
    return {
        "state": job.state,
        "phase": job.phase,
        "step": job.step,
        "cancelled": job.cancelled,
        "started": job.started,
        "finished": job.finished,
        "exit": job.exit.model_dump_json() if job.exit else None,
        "size": job.size,
    }


def _job(sealer: Sealer, row: dict[str, Any]) -> Job:
    del row["environment"]
    spec = JobSpec.model_validate_json(sealer.open(row.pop("sealed"), owner=row["name"]))
    exit_text = row.pop("exit")
    return Job(
        spec=spec,
        state=JobState(row.pop("state")),
        phase=Phase(row.pop("phase")),
        exit=Exit.model_validate_json(exit_text) if exit_text else None,
        **row,
    )
