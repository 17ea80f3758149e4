"""What lists show of many environments, asked for at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from perron.kit.db import UnitOfWork
from perron.releases import store


@dataclass(frozen=True)
class Line:
    """A release in one line."""

    number: int
    state: str
    asked_at: datetime
    live_at: datetime | None
    by: str


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
    for row in store.latest_of(uow, ids):
        if row["state"] == "live":
            live[row["environment"]] = Line(
                **{name: row[name] for name in ("number", "state", "asked_at", "live_at", "by")}
            )
        else:
            coming[row["environment"]] = row["number"]
    return {
        id: Summary(live.get(id), coming.get(id), id in stopped, scales.get(id, {})) for id in ids
    }
