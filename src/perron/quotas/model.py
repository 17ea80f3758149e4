"""What a team may have: generous from the start, changed by an administrator, refused in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from perron.kit.problems import Conflict, Unprocessable

GIB = 1 << 30
DAY, MONTH = "build_minutes_day", "build_minutes_month"
KEPT = timedelta(days=62)  # how long it is known what a build took
LARGEST = 1e15


@dataclass(frozen=True)
class Kind:
    """Something a team has a bounded amount of; ``unit`` is empty for what is counted."""

    name: str
    default: float
    unit: str
    noun: str


KINDS: Mapping[str, Kind] = {
    each.name: each
    for each in (
        Kind("apps", 2_000, "", "apps"),
        Kind("environments", 4_000, "", "environments"),
        Kind("instances", 1_000, "", "instances"),
        Kind("memory", 512 * GIB, "bytes", "memory of instances"),
        Kind("cpu", 1_000, "cores", "CPU cores of instances"),
        Kind(DAY, 600, "minutes", "build minutes of today"),
        Kind(MONTH, 6_000, "minutes", "build minutes of this month"),
        Kind("disk", 200 * GIB, "bytes", "disk for volumes, builds and sources"),
    )
}


@dataclass(frozen=True)
class Quota:
    """One kind as it is for one team; ``used`` is None while nobody can tell."""

    kind: Kind
    limit: float
    used: float | None
    is_default: bool


@dataclass(frozen=True)
class QuotasChanged:
    """An administrator gave a team other bounds; only what changed is told."""

    type: ClassVar[str] = "perron.quotas.changed.v1"
    before: dict[str, float]
    after: dict[str, float]


class QuotaExceeded(Conflict):
    """The team would have more than it may have; an administrator can change that."""


class QuotaRefused(Unprocessable):
    """That cannot be a bound."""


def limits_of(own: Mapping[str, float]) -> dict[str, float]:
    """Return every bound of a team: its own, else the default."""
    return {name: own.get(name, kind.default) for name, kind in KINDS.items()}


def is_too_much(limit: float, used: float | None, more: float) -> bool:
    """Say whether ``more`` does not fit; of what is unknown nobody can say so.

    With no amount named beforehand (0), the last bit of the bound must still be free.
    """
    if used is None:
        return False
    return used >= limit if more == 0 else used + more > limit


def refusal(team: str, kind: Kind, *, limit: float, used: float, more: float) -> str:
    """Say what does not fit, and who can change that."""
    asked = f", and this needs {amount(kind, more)} more" if more else ""
    return (
        f"Team {team!r} may have {amount(kind, limit)} ({kind.noun}) and has "
        f"{amount(kind, used)}{asked}. Nothing was started. An administrator can raise it: "
        f"perron quotas set {team} {kind.name}=…"
    )


def amount(kind: Kind, number: float) -> str:
    """Return an amount as people say it."""
    if kind.unit != "bytes":
        return f"{number:,.1f}".removesuffix(".0") + (f" {kind.unit}" if kind.unit else "")
    for unit, size in (("GB", GIB), ("MB", 1 << 20)):
        if number >= size:
            return f"{number / size:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{number / 1024:,.0f} KB"


def check_limit(name: str, limit: float) -> None:
    """Refuse a bound that could not be kept to."""
    if name not in KINDS:
        raise QuotaRefused(f"There is no quota {name[:40]!r}; there are: {', '.join(KINDS)}.")
    if not 0 <= limit <= LARGEST:
        raise QuotaRefused(f"{name} can be 0 to {LARGEST:,.0f}, not {limit:,.0f}.")


def beginning(name: str, now: datetime) -> datetime:
    """Return since when the build minutes of this kind count: midnight, or the first, in UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if name == DAY else midnight.replace(day=1)
