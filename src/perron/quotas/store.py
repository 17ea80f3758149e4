"""Where bounds, what is held of them, and what builds took are kept."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Column, Float, Index, String, Table, func, select

from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.tables import metadata

quotas = Table(
    "quota",
    metadata,
    Column("team", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("most", Float, nullable=False),
)
holds = Table(
    "quota_hold",
    metadata,
    Column("holder", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("amount", Float, nullable=False),
    Index("ix_quota_hold_team", "team", "name"),
)
builds = Table(
    "quota_build",
    metadata,
    Column("id", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("ended", UtcDateTime),
    Index("ix_quota_build_team", "team", "started"),
)


def own(uow: UnitOfWork, team: str) -> dict[str, float]:
    """Return the bounds that were set for a team."""
    query = select(quotas.c.name, quotas.c.most).where(quotas.c.team == team)
    return {row.name: row.most for row in uow.connection.execute(query)}


def put(uow: UnitOfWork, team: str, name: str, most: float | None) -> None:
    """Set one bound of a team; None is the default again."""
    this = (quotas.c.team == team) & (quotas.c.name == name)
    uow.connection.execute(quotas.delete().where(this))
    if most is not None:
        uow.connection.execute(quotas.insert().values(team=team, name=name, most=most))


def held(uow: UnitOfWork, team: str, name: str, *, besides: str = "") -> float:
    """Return how much of it is held for a team, besides by one holder."""
    mine = (holds.c.team == team) & (holds.c.name == name) & (holds.c.holder != besides)
    return uow.connection.execute(select(func.sum(holds.c.amount)).where(mine)).scalar() or 0.0


def hold_of(uow: UnitOfWork, holder: str) -> dict[str, float]:
    """Return what one holder holds."""
    query = select(holds.c.name, holds.c.amount).where(holds.c.holder == holder)
    return {row.name: row.amount for row in uow.connection.execute(query)}


def hold(uow: UnitOfWork, team: str, holder: str, amounts: Mapping[str, float]) -> None:
    """Keep what one holder holds, in place of what it held before."""
    let_go(uow, holder)
    rows = [
        {"holder": holder, "team": team, "name": name, "amount": amount}
        for name, amount in amounts.items()
    ]
    if rows:
        uow.connection.execute(holds.insert(), rows)


def let_go(uow: UnitOfWork, holder: str) -> None:
    """Forget what one holder held."""
    uow.connection.execute(holds.delete().where(holds.c.holder == holder))


def move(uow: UnitOfWork, holders: Iterable[str], team: str) -> None:
    """Let holders hold for another team."""
    these = holds.c.holder.in_(list(holders))
    uow.connection.execute(holds.update().where(these).values(team=team))


def begin_build(uow: UnitOfWork, team: str, id: str, at: datetime) -> None:
    """Keep that a build began, unless that is known."""
    if uow.connection.execute(select(builds.c.id).where(builds.c.id == id)).first() is None:
        uow.connection.execute(builds.insert().values(id=id, team=team, started=at))


def end_build(uow: UnitOfWork, id: str, at: datetime) -> None:
    """Keep when a build ended, unless that is known."""
    this = (builds.c.id == id) & builds.c.ended.is_(None)
    uow.connection.execute(builds.update().where(this).values(ended=at))


def builds_since(
    uow: UnitOfWork, team: str, since: datetime
) -> list[tuple[datetime, datetime | None]]:
    """Return when the team's builds began and ended, of those not over before a moment."""
    mine = (builds.c.team == team) & (builds.c.ended.is_(None) | (builds.c.ended >= since))
    query = select(builds.c.started, builds.c.ended).where(mine)
    return [(row.started, row.ended) for row in uow.connection.execute(query)]


def prune_builds(uow: UnitOfWork, before: datetime) -> None:
    """Forget builds that ended long ago."""
    uow.connection.execute(builds.delete().where(builds.c.ended < before))
