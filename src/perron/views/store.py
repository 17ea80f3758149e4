"""How every environment stands, looked up once for as long as nothing changes.

The order of a thousand apps needs the state of all of them; a page shows only a hundred.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from perron import catalog, releases, runtime
from perron.kit import bell
from perron.kit.db import UnitOfWork
from perron.kit.whereabouts import home_of

from .model import Glance, Standing, state_of

LONGEST = 2.0  # seconds; another server's changes ring no bell here


@dataclass(frozen=True)
class Index:
    """All standings, and when the bell had rung for the last time before they were read."""

    heard: int
    at: float
    standings: tuple[Standing, ...]


_indexes: dict[Path, Index] = {}


def standings(uow: UnitOfWork) -> tuple[Standing, ...]:
    """Return how every environment of every app stands."""
    home = home_of(uow).path
    known, heard, now = _indexes.get(home), bell.heard(), time.monotonic()
    if known is None or known.heard != heard or now - known.at > LONGEST:
        known = _indexes[home] = Index(heard, now, tuple(_look(uow)))
    return known.standings


def _look(uow: UnitOfWork) -> list[Standing]:
    places = catalog.all_environments(uow)
    names = catalog.names_of_all(uow)
    summaries = releases.summaries(uow, [place.id for place in places])
    reports = runtime.observed_all(uow)
    found = []
    for place in places:
        report = reports.get(place.id) if reports is not None else None
        glance = Glance.of(summaries[place.id], report, is_known=reports is not None)
        name, is_leaving = names[place.app]
        state = "destroying" if is_leaving or place.is_destroying else state_of(glance)
        found.append(
            Standing(place.app, name, place.team, place.name, state, glance.wished, glance.healthy)
        )
    return found
