"""What lists show of many environments, asked for at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from perron.kit.db import UnitOfWork
from perron.releases import store
from perron.releases.model.release import Line


@dataclass(frozen=True)
class Summary:
    """One environment: what is live, what is on its way, and how many instances are wished."""

    live: Line | None = None
    coming: int | None = None
    stopped: bool = False
    scale: dict[str, int] = field(default_factory=dict)


def summaries(uow: UnitOfWork, environments: Sequence[str]) -> dict[str, Summary]:
    """Return the summary of each environment, in four questions however many there are."""
    ids = list(environments)
    scales, stopped = store.scales_of(uow, ids), store.stopped_of(uow, ids)
    live: dict[str, Line] = {}
    coming: dict[str, int] = {}
    for environment, line in store.latest_of(uow, ids):
        if line.state == "live":
            live[environment] = line
        else:
            coming[environment] = line.number
    return {
        id: Summary(live.get(id), coming.get(id), id in stopped, scales.get(id, {})) for id in ids
    }
