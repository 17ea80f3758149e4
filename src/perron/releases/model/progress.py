"""What a report says about a rollout: how far it is, or why it will never be there."""

from collections.abc import Sequence
from dataclasses import dataclass

from perron.contract.node import EnvironmentReport, InstanceReport, InstanceState, ProcessSet

CRASHES_ALLOWED = 2
ENDING = frozenset({InstanceState.DRAINING, InstanceState.STOPPING})
DOWN = frozenset({InstanceState.BACKOFF, InstanceState.CRASHED})


@dataclass(frozen=True)
class Failure:
    """An instance that will not become well, and why."""

    instance: str
    release: int
    reason: str

    @property
    def text(self) -> str:
        """Say it in one sentence."""
        return f"{self.instance} did not become healthy: {self.reason}"


@dataclass(frozen=True)
class Standing:
    """How many instances of some sets are wished for, well, and in rotation."""

    wished: int
    well: int
    reached: int

    @property
    def text(self) -> str:
        """Say it in one sentence."""
        return f"{self.well} of {self.wished} healthy"


def standing(report: EnvironmentReport, sets: Sequence[ProcessSet]) -> Standing:
    """Count the instances of these sets."""
    there = [each for one in sets for each in instances_of(report, one)]
    return Standing(
        wished=sum(one.count for one in sets),
        well=sum(each.state is InstanceState.HEALTHY for each in there),
        reached=sum(each.in_rotation for each in there),
    )


def instances_of(report: EnvironmentReport, one: ProcessSet) -> list[InstanceReport]:
    """Return the instances of one set that are not on their way out."""
    return [
        each
        for each in report.instances
        if (each.process, each.release, each.revision) == (one.process, one.release, one.revision)
        and each.state not in ENDING
    ]


def failure(report: EnvironmentReport, sets: Sequence[ProcessSet]) -> Failure | None:
    """Return the first instance that crashes again and again, if there is one."""
    for one in sets:
        for each in instances_of(report, one):
            if each.crash_loop or (each.state in DOWN and each.restarts >= CRASHES_ALLOWED):
                return Failure(each.name, each.release, reason_of(each))
    return None


def laggard(report: EnvironmentReport, sets: Sequence[ProcessSet]) -> Failure | None:
    """Return the first instance that is not well yet, to name when time is up."""
    for one in sets:
        there = instances_of(report, one)
        for each in there:
            if each.state is not InstanceState.HEALTHY:
                return Failure(each.name, each.release, reason_of(each))
        if len(there) < one.count:
            name = f"{one.process}.{len(there) + 1}"
            return Failure(name, one.release, report.message or "it was never started")
    return None


def reason_of(instance: InstanceReport) -> str:
    """Say what is known about why an instance is not well."""
    exit_text = instance.last_exit.text if instance.last_exit else ""
    known = dict.fromkeys(text for text in (exit_text, instance.message) if text)
    return "; ".join(known) or f"it is {instance.state}"


def queueing(own: int, others: int) -> str:
    """Say how many builds begin before one that waits, and whose they are."""
    told = [
        f"{count} of {whose}"
        for count, whose in ((others, "other teams"), (own, "your team"))
        if count
    ]
    if not told:
        return "Waiting to build: it is next."
    noun = "build is" if own + others == 1 else "builds are"
    return f"Waiting to build: {own + others} {noun} ahead ({', '.join(told)}); teams take turns."


def remaining(report: EnvironmentReport, marks: Sequence[str]) -> int:
    """Count the instances of editions that should be gone."""
    return sum(each.revision in marks for each in report.instances)
