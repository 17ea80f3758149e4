"""What can be done with volumes."""

from collections.abc import Mapping

from perron import catalog, quotas
from perron.catalog import Environment
from perron.contract.node import VolumeMount
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Happening

from . import store
from .model import (
    Volume,
    VolumeCreated,
    VolumeDestroyed,
    VolumeInUse,
    VolumeNotFound,
    check,
    check_beside,
)


def create(
    uow: UnitOfWork, environment: Environment, name: str, *, mount: str, size: int
) -> Volume:
    """Give the environment a volume; asking for the same again is harmless."""
    check(name, mount, size)
    known = store.of(uow, environment.id)
    if there := next((each for each in known if each.name == name), None):
        if (there.mount, there.size) == (mount, size):
            return there
        raise VolumeInUse(
            f"There is a volume {name!r} already, {there.size:,} bytes at {there.mount}.",
            volume=name,
        )
    check_beside(mount, known)
    quotas.check(uow, environment.team, "disk", more=size)
    volume = Volume(environment.id, name, mount, size, clock.now())
    store.add(uow, volume)
    record(uow, environment, VolumeCreated(name, mount, size), name)
    return volume


def ensure(
    uow: UnitOfWork, environment: Environment, named: Mapping[str, tuple[str, int]]
) -> list[str]:
    """Create the volumes a release names for the first time; say where it differs from what is.

    A volume that is there keeps its mount and size: both change only when someone asks.
    """
    notes = []
    for name, (mount, size) in named.items():
        try:
            create(uow, environment, name, mount=mount, size=size)
        except VolumeInUse as kept:
            notes.append(f"{kept.detail} perron.toml says otherwise; nothing was changed.")
    return notes


def volumes(uow: UnitOfWork, environment: Environment) -> list[Volume]:
    """Return the environment's volumes, by name."""
    return store.of(uow, environment.id)


def get(uow: UnitOfWork, environment: Environment, name: str) -> Volume:
    """Return a volume, or raise VolumeNotFound."""
    for volume in store.of(uow, environment.id):
        if volume.name == name:
            return volume
    raise VolumeNotFound(f"There is no volume {name!r} here; perron volumes lists them.")


def disk_of(uow: UnitOfWork, team: str) -> float:
    """Return how much disk the volumes of a team may take."""
    return store.size_of_all(uow, catalog.owned_by(uow, team)[1])


def mounts(uow: UnitOfWork, environment: str) -> list[VolumeMount]:
    """Return what every instance and job of the environment has mounted."""
    return [
        VolumeMount(name=each.name, mount=each.mount, size=each.size)
        for each in store.of(uow, environment)
    ]


def destroy(uow: UnitOfWork, environment: Environment, name: str) -> None:
    """Forget a volume; the agent ends its files and snapshots."""
    get(uow, environment, name)
    store.remove(uow, environment.id, name)
    record(uow, environment, VolumeDestroyed(name), name)


def record(uow: UnitOfWork, environment: Environment, what: Happening, name: str) -> None:
    """Write down what happened to a volume."""
    spine.record(uow, what, subject=f"{environment.id}/{name}", of=environment.place)


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget every volume of an environment that was destroyed."""
    store.forget(uow, environment)
