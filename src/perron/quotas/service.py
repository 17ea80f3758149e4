"""What can be done with quotas: ask whether something fits, hold it, change the bounds."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from perron import access
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import registry, store
from .model import (
    DAY,
    KEPT,
    KINDS,
    MONTH,
    Quota,
    QuotaExceeded,
    QuotasChanged,
    beginning,
    check_limit,
    is_too_much,
    limits_of,
    refusal,
)

HELD = ("instances", "memory", "cpu")
BUILD_MINUTES = (DAY, MONTH)


def quotas_of(uow: UnitOfWork, team: str) -> list[Quota]:
    """Return every bound of a team, and how much of it is used."""
    own = store.own(uow, team)
    return [
        Quota(KINDS[name], limit, used(uow, team, name), name not in own)
        for name, limit in limits_of(own).items()
    ]


def used(uow: UnitOfWork, team: str, name: str) -> float | None:
    """Return how much a team has of something; None when nobody can tell."""
    if name in HELD:
        return store.held(uow, team, name)
    if name in BUILD_MINUTES:
        return _minutes(uow, team, beginning(name, clock.now()))
    return registry.measure(uow, name, team)


def check(uow: UnitOfWork, team: str, name: str, *, more: float) -> None:
    """Raise QuotaExceeded unless the team may have ``more`` of it."""
    _check(uow, team, name, have=used(uow, team, name), more=more)


def check_building(uow: UnitOfWork, team: str) -> None:
    """Raise QuotaExceeded when the team's build minutes, or its disk, are used up."""
    for name in (*BUILD_MINUTES, "disk"):
        check(uow, team, name, more=0)


def check_hold(uow: UnitOfWork, team: str, by: str, amounts: Mapping[str, float]) -> None:
    """Raise QuotaExceeded unless the team may have this; less than before is always allowed."""
    before = store.hold_of(uow, by)
    for name, amount in amounts.items():
        more = amount - before.get(name, 0.0)
        if more > 0:
            _check(uow, team, name, have=store.held(uow, team, name), more=more)


def hold(uow: UnitOfWork, team: str, by: str, amounts: Mapping[str, float]) -> None:
    """Write down what one holder has of the team's bounds, in place of what it had."""
    if store.hold_of(uow, by) != dict(amounts):
        store.hold(uow, team, by, amounts)


def let_go(uow: UnitOfWork, by: str) -> None:
    """Forget a holder that is gone."""
    store.let_go(uow, by)


def move(uow: UnitOfWork, holders: Iterable[str], *, to: str) -> None:
    """Let holders count for another team from now on, if they fit there."""
    found = list(holders)
    for name in HELD:
        more = sum(store.hold_of(uow, each).get(name, 0.0) for each in found)
        if more:
            _check(uow, to, name, have=store.held(uow, to, name), more=more)
    store.move(uow, found, to)


def begin_build(uow: UnitOfWork, team: str, id: str, at: datetime) -> None:
    """Let a build's minutes count from here on; saying so twice is harmless."""
    store.begin_build(uow, team, id, at)


def end_build(uow: UnitOfWork, id: str, at: datetime) -> None:
    """Let a build's minutes count no further; saying so twice is harmless."""
    store.end_build(uow, id, at)
    store.prune_builds(uow, clock.now() - KEPT)


def change(uow: UnitOfWork, team: str, wanted: Mapping[str, float | None]) -> None:
    """Give a team other bounds; None is the default again. What it has already, it keeps."""
    before = limits_of(store.own(uow, team))
    for name, limit in wanted.items():
        check_limit(name, limit if limit is not None else 0)
        store.put(uow, team, name, limit)
    after = limits_of(store.own(uow, team))
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        told = QuotasChanged(
            {name: before[name] for name in changed}, {name: after[name] for name in changed}
        )
        spine.record(uow, told, subject=team, of=Place(team))


def _check(uow: UnitOfWork, team: str, name: str, *, have: float | None, more: float) -> None:
    limit = limits_of(store.own(uow, team))[name]
    if have is None or not is_too_much(limit, have, more):
        return
    called = access.team_name(uow, team)
    raise QuotaExceeded(
        refusal(called, KINDS[name], limit=limit, used=have, more=more),
        quota=name,
        team=called,
        used=have,
        asked=more,
        limit=limit,
    )


def _minutes(uow: UnitOfWork, team: str, since: datetime) -> float:
    now = clock.now()
    spans = store.builds_since(uow, team, since)
    seconds = [((ended or now) - max(started, since)).total_seconds() for started, ended in spans]
    return round(sum(max(0.0, each) for each in seconds) / 60, 3)
