"""In which order apps are shown: what needs somebody, what runs, what does not."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

NEEDS, RUNNING, STOPPED = 0, 1, 2
_RANKS = {"failed": NEEDS, "degraded": NEEDS, "unknown": NEEDS,
          "healthy": RUNNING, "deploying": RUNNING}  # fmt: skip

_PLACE = attrgetter("place")


@dataclass(frozen=True)
class Standing:
    """One environment of one app, as much of it as its order needs."""

    app: str
    name: str
    team: str
    environment: str
    state: str
    instances: int
    healthy: int | None

    @cached_property
    def rank(self) -> int:
        """Where it belongs: what needs somebody first."""
        return _RANKS.get(self.state, STOPPED)

    @cached_property
    def place(self) -> tuple[int, str]:
        """Where it stands in the list."""
        return self.rank, self.name


@dataclass(frozen=True)
class Totals:
    """How many there are of everything; ``healthy`` is None when any was not observed."""

    apps: int
    needs: int
    running: int
    stopped: int
    moving: int
    instances: int
    healthy: int | None
    unknown: int


def totals(standings: Sequence[Standing]) -> Totals:
    """Count what is shown above the list."""
    ranks = [each.rank for each in standings]
    unknown = sum(each.state == "unknown" for each in standings)
    return Totals(
        apps=len(standings),
        needs=ranks.count(NEEDS),
        running=ranks.count(RUNNING),
        stopped=ranks.count(STOPPED),
        moving=sum(each.state == "deploying" for each in standings),
        instances=sum(each.instances for each in standings),
        healthy=None if unknown else sum(each.healthy or 0 for each in standings),
        unknown=unknown,
    )


def in_order(standings: Iterable[Standing], *, match: str) -> list[Standing]:
    """Return those whose app has ``match`` in its name, by their place."""
    wanted = match.lower()
    return sorted((each for each in standings if wanted in each.name), key=_PLACE)


def behind(ordered: Sequence[Standing], after: tuple[int, str]) -> Sequence[Standing]:
    """Return those of an ordered list that come behind the place ``after``."""
    return ordered[bisect_right(ordered, after, key=_PLACE) :]


def by_use(environments: Iterable[str]) -> list[str]:
    """Return the names of environments, production first."""
    return sorted(set(environments), key=lambda name: (name != "production", name))
