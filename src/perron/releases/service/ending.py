"""Destroying environments and apps: first what runs, then what is kept."""

from collections.abc import Sequence

from perron import builds, catalog, config, edge, operations, quotas, runtime, services
from perron.catalog import App, Environment
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.operations import Operation
from perron.releases import store
from perron.releases.model.events import AppDestroyed, EnvironmentDestroyed
from perron.releases.model.release import rollout_lock, standing_lock

DESTROY = "releases.destroy"


def destroy_app(uow: UnitOfWork, app: App) -> Operation:
    """Ask that nothing of an app is left but its events."""
    if known := _under_way(uow, app.id):
        return known
    catalog.mark_destroying(uow, app)
    for environment in catalog.environments_of(uow, app):
        _stop_work(uow, environment)
    return operations.start(
        uow,
        DESTROY,
        subject=app.id,
        lock=f"destroy:{app.id}",
        team=app.team,
        place=app.place,
        facts={"kind": "app", "name": app.name},
    )


def destroy_environment(uow: UnitOfWork, environment: Environment) -> Operation:
    """Ask that nothing of an environment is left but its events."""
    if known := _under_way(uow, environment.id):
        return known
    catalog.mark_destroying(uow, environment)
    _stop_work(uow, environment)
    return operations.start(
        uow,
        DESTROY,
        subject=environment.id,
        lock=f"destroy:{environment.id}",
        team=environment.team,
        place=environment.place,
        facts={"kind": "environment", "name": environment.name},
    )


def end(uow: UnitOfWork, environment: Environment) -> None:
    """Wish that the machine has nothing left of an environment."""
    runtime.end(uow, environment.id)


def has_work(uow: UnitOfWork, environment: Environment) -> bool:
    """Say whether a rollout or a change of scale has not ended yet."""
    locks = (rollout_lock(environment.id), standing_lock(environment.id))
    return any(operations.unfinished(uow, lock) for lock in locks)


def builds_only_of(uow: UnitOfWork, environments: Sequence[Environment]) -> list[str]:
    """Return the builds whose files nothing needs when these environments are gone."""
    return store.builds_only_of(uow, [each.id for each in environments])


def forget(uow: UnitOfWork, environments: Sequence[Environment], app: App | None) -> None:
    """Forget all rows of these environments, and of their app when that goes too."""
    for environment in environments:
        for room in (config, edge, services, store, runtime):
            room.forget(uow, environment.id)
        quotas.let_go(uow, environment.id)
        catalog.remove_environment(uow, environment)
        gone = EnvironmentDestroyed(environment.name)
        spine.record(uow, gone, subject=environment.id, of=environment.place)
    if app is not None:
        builds.forget_app(uow, app.id)
        catalog.remove_app(uow, app)
        spine.record(uow, AppDestroyed(app.name), subject=app.id, of=app.place)


def _under_way(uow: UnitOfWork, subject: str) -> Operation | None:
    under_way = operations.unfinished(uow, f"destroy:{subject}")
    return under_way[0] if under_way else None


def _stop_work(uow: UnitOfWork, environment: Environment) -> None:
    for lock in (rollout_lock(environment.id), standing_lock(environment.id)):
        for operation in operations.unfinished(uow, lock):
            operations.cancel(uow, operation.id, reason="It is being destroyed.")
