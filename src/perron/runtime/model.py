"""Wishes, what is seen of them, and what follows from comparing the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from perron.contract.node import (
    EnvironmentReport,
    EnvironmentWish,
    InstanceReport,
    InstanceState,
    ProcessSet,
    Promise,
)
from perron.kit.problems import Conflict, NotFound

STALE_AFTER = 15.0
RISKS = frozenset({"tcp-open"})  # what may be left open between teams when somebody answers for it


@dataclass(frozen=True)
class Wish:
    """What should run for one environment; ``generation`` grows with every change of any wish."""

    environment: str
    generation: int
    wish: EnvironmentWish


@dataclass(frozen=True)
class Sighting:
    """What was last written down of an instance, so that nothing is told twice."""

    instance: str
    environment: str
    exit_at: datetime | None
    restarts: int


@dataclass(frozen=True)
class Acceptance:
    """A risk that an administrator took for everybody."""

    risk: str
    by: str
    at: datetime


@dataclass(frozen=True)
class RiskAccepted:
    """An administrator accepted that apps of several teams are not kept apart in one way."""

    type: ClassVar[str] = "perron.risk.accepted.v1"
    risk: str


@dataclass(frozen=True)
class RiskRefused:
    """An administrator took back that a risk was accepted."""

    type: ClassVar[str] = "perron.risk.refused.v1"
    risk: str


class RiskNotFound(NotFound):
    """There is no risk of that name that could be accepted."""


@dataclass(frozen=True)
class InstanceCrashed:
    """An instance ended although it should run."""

    type: ClassVar[str] = "perron.instance.crashed.v1"
    instance: str
    name: str
    process: str
    release: int
    text: str
    code: int | None
    signal: str | None
    crash_loop: bool


@dataclass(frozen=True)
class InstanceOutOfMemory:
    """An instance, or a process in it, used more memory than its limit and was killed."""

    type: ClassVar[str] = "perron.instance.out_of_memory.v1"
    instance: str
    name: str
    process: str
    release: int
    text: str


@dataclass(frozen=True)
class InstanceRestarted:
    """The platform started an instance again."""

    type: ClassVar[str] = "perron.instance.restarted.v1"
    instance: str
    name: str
    process: str
    release: int
    restarts: int


class WishRefused(Conflict):
    """Nothing may be wished for where everything is to end."""


Told = InstanceCrashed | InstanceOutOfMemory | InstanceRestarted
ENDING = frozenset({InstanceState.DRAINING, InstanceState.STOPPING})


def of_set(report: EnvironmentReport, wished: ProcessSet) -> list[InstanceReport]:
    """Return the instances of one set that are there and not on their way out."""
    return [
        each
        for each in report.instances
        if (each.process, each.release, each.revision)
        == (wished.process, wished.release, wished.revision)
        and each.state not in ENDING
    ]


def healthy(report: EnvironmentReport, wished: ProcessSet) -> int:
    """Count the set's instances that are well."""
    return sum(each.state is InstanceState.HEALTHY for each in of_set(report, wished))


def in_rotation(report: EnvironmentReport, wished: ProcessSet) -> int:
    """Count the set's instances that visitors reach."""
    return sum(each.in_rotation for each in of_set(report, wished))


def is_heard(report: EnvironmentReport | None, generation: int) -> bool:
    """Say whether what was seen answers this wish, and no earlier one."""
    return report is not None and report.generation >= generation


def surplus(report: EnvironmentReport, wish: EnvironmentWish) -> list[InstanceReport]:
    """Return the instances that no set wishes for."""
    wished = {(each.process, each.release, each.revision) for each in wish.sets if each.count}
    return [
        each
        for each in report.instances
        if each.state in ENDING or (each.process, each.release, each.revision) not in wished
    ]


def is_as_wished(report: EnvironmentReport | None, wish: Wish) -> bool:
    """Say whether exactly this wish is seen to be true: all well, nothing too many."""
    if report is None or report.generation < wish.generation:
        return False
    if surplus(report, wish.wish):
        return False
    return all(
        healthy(report, each) == each.count and len(of_set(report, each)) == each.count
        for each in wish.wish.sets
    )


def check_risk(risk: str) -> None:
    """Raise RiskNotFound unless an administrator could accept this."""
    if risk not in RISKS:
        raise RiskNotFound(f"No risk {risk[:40]!r}; there are: {', '.join(sorted(RISKS))}.")


def why_one_team(promises: Sequence[Promise], accepted: Sequence[str]) -> str:
    """Say why only one team may deploy where these promises hold; nothing when several may."""
    is_open = {each.code for each in promises if each.standing in ("open", "unknown")}
    if "files" in is_open:
        return (
            "This machine cannot keep the files and processes of apps apart, so that only one "
            "team may deploy here. Run as root, or allow user namespaces: see perron doctor."
        )
    if "tcp" in is_open and "tcp-open" not in accepted:
        return (
            "Apps on this machine can reach each other's TCP ports, so that only one team may "
            "deploy here. Run Linux 6.7 or newer, or have an administrator accept it: "
            "perron platform accept tcp-open"
        )
    return ""


def news(
    before: Mapping[str, Sighting], report: EnvironmentReport
) -> tuple[list[tuple[InstanceReport, Told]], list[Sighting]]:
    """Return what happened to instances since ``before``, and what to remember of them now."""
    told: list[tuple[InstanceReport, Told]] = []
    remembered: list[Sighting] = []
    for each in report.instances:
        ended = each.last_exit.at if each.last_exit else None
        now = Sighting(each.id, report.environment, ended, each.restarts)
        if now == (known := before.get(each.id)):
            continue
        remembered.append(now)
        told += [(each, what) for what in _happened(known, each)]
    return told, remembered


def _happened(known: Sighting | None, seen: InstanceReport) -> Sequence[Told]:
    facts = (seen.id, seen.name, seen.process, seen.release)
    happened: list[Told] = []
    if seen.last_exit and (known is None or known.exit_at != seen.last_exit.at):
        ended = seen.last_exit
        if ended.out_of_memory:
            happened.append(InstanceOutOfMemory(*facts, text=ended.text))
        crash = InstanceCrashed(*facts, ended.text, ended.code, ended.signal, seen.crash_loop)
        happened.append(crash)
    if seen.restarts > (known.restarts if known else 0):
        happened.append(InstanceRestarted(*facts, seen.restarts))
    return happened
