"""Who can tell how much a team has of something: rooms above, registered at the roof."""

from collections.abc import Callable, Mapping, Sequence

from perron.kit.db import UnitOfWork

Meter = Callable[[UnitOfWork, str], float]

_meters: dict[str, tuple[Meter, ...]] = {}


def use(meters: Mapping[str, Sequence[Meter]]) -> None:
    """Take these meters, each given a team's id; several of a kind are added up."""
    _meters.clear()
    _meters.update({name: tuple(each) for name, each in meters.items()})


def measure(uow: UnitOfWork, name: str, team: str) -> float | None:
    """Return how much the team has of it; None when nobody measures that."""
    if name not in _meters:
        return None
    return sum(meter(uow, team) for meter in _meters[name])
