"""How what is live stands: scaled, restarted, stopped and started."""

from collections.abc import Mapping

from perron import operations
from perron.catalog import Environment
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.operations import Operation
from perron.releases import store
from perron.releases.model.events import (
    EnvironmentStarted,
    EnvironmentStopped,
    InstancesRestarted,
    ScaleChanged,
)
from perron.releases.model.release import (
    DeployRefused,
    Release,
    RequestRefused,
    rollout_lock,
    standing_lock,
)

from . import asking
from .reading import check_build, live_release
from .wishes import refresh

MOST = 1000


def scale(uow: UnitOfWork, environment: Environment, counts: Mapping[str, int]) -> Operation | None:
    """Wish for these numbers of instances, now and in every later release."""
    before = store.scale(uow, environment.id)
    release = live_release(uow, environment.id)
    _check_counts(counts, before, release)
    if release and any(count > before.get(name, 0) for name, count in counts.items()):
        check_build(uow, release)
    store.set_scale(uow, environment.id, dict(counts))
    after = store.scale(uow, environment.id)
    if after == before:
        return None
    changed = ScaleChanged(before, after)
    spine.record(uow, changed, subject=environment.id, of=environment.place)
    if release is None or store.is_stopped(uow, environment.id):
        return None
    refresh(uow, environment, may_grow=False)
    return _settle(uow, environment, "releases.scale")


def restart(uow: UnitOfWork, environment: Environment) -> Operation:
    """Ask for new instances of what is live, without losing a visitor."""
    release = _live(uow, environment)
    if store.is_stopped(uow, environment.id):
        raise DeployRefused("This environment is stopped; first: perron start.")
    check_build(uow, release)
    restarted = InstancesRestarted(release.number)
    spine.record(uow, restarted, subject=environment.id, of=environment.place)
    return operations.start(
        uow,
        asking.RESTART,
        subject=environment.id,
        lock=rollout_lock(environment.id),
        team=environment.team,
        place=environment.place,
        facts={"release": release.number, "environment": environment.id},
    )


def stop(uow: UnitOfWork, environment: Environment) -> Operation | None:
    """Wish that nothing runs here, until it is started or deployed again."""
    release = _live(uow, environment)
    if store.is_stopped(uow, environment.id):
        return None
    asking.supersede(uow, environment, "The environment was stopped.")
    store.set_stopped(uow, environment.id, True)
    refresh(uow, environment)
    stopped = EnvironmentStopped(release.number)
    spine.record(uow, stopped, subject=environment.id, of=environment.place)
    return _settle(uow, environment, "releases.stop")


def start(uow: UnitOfWork, environment: Environment) -> tuple[Operation | None, Release | None]:
    """Wish that what was stopped runs again; with what was configured meanwhile, as a release."""
    release = _live(uow, environment)
    if not store.is_stopped(uow, environment.id):
        return None, None
    check_build(uow, release)
    store.set_stopped(uow, environment.id, False)
    started = EnvironmentStarted(release.number)
    spine.record(uow, started, subject=environment.id, of=environment.place)
    if asking.has_other_config(uow, environment, release):
        newer = asking.release_again(uow, environment)
        if newer is not None:
            store.set_stopped(uow, environment.id, True)  # until the new release takes over
            return operations.get_operation(uow, newer.operation), newer
    refresh(uow, environment, may_grow=False)
    return _settle(uow, environment, "releases.start"), None


def _settle(uow: UnitOfWork, environment: Environment, work: str) -> Operation:
    """Follow what was wished for until it is so; an older change need not be followed on."""
    for operation in operations.unfinished(uow, standing_lock(environment.id)):
        operations.cancel(uow, operation.id, state="superseded", reason="Changed again.")
    return operations.start(
        uow,
        work,
        subject=environment.id,
        lock=standing_lock(environment.id),
        team=environment.team,
        place=environment.place,
        facts={"environment": environment.id},
    )


def _live(uow: UnitOfWork, environment: Environment) -> Release:
    release = live_release(uow, environment.id)
    if release is None:
        raise DeployRefused("Nothing is live here yet; first: perron deploy.")
    return release


def _check_counts(
    counts: Mapping[str, int], before: Mapping[str, int], release: Release | None
) -> None:
    known = {*before} | {*(release.processes if release else ())}
    for name, count in counts.items():
        if known and name not in known:
            raise RequestRefused(
                f"There is no process type {name[:60]!r}; there are: {', '.join(sorted(known))}."
            )
        if not 0 <= count <= MOST:
            raise RequestRefused(f"{name} can have 0 to {MOST} instances, not {count}.")
