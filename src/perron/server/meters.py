"""Who counts what a team has: each room what it owns, without knowing who asks."""

from collections.abc import Mapping, Sequence

from perron import builds, catalog, services
from perron.kit.db import UnitOfWork
from perron.quotas import Meter


def apps_of(uow: UnitOfWork, team: str) -> float:
    """Count a team's apps."""
    return len(catalog.owned_by(uow, team)[0])


def environments_of(uow: UnitOfWork, team: str) -> float:
    """Count a team's environments."""
    return len(catalog.owned_by(uow, team)[1])


METERS: Mapping[str, Sequence[Meter]] = {
    "apps": (apps_of,),
    "environments": (environments_of,),
    "disk": (builds.disk_of, services.disk_of),
}
