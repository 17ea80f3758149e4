"""Jobs and the order they run in: decided from plain values."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from perron.contract.node import Exit, JobKind, JobReport, JobSpec, JobState
from perron.kit.problems import Conflict, NotFound, Problem

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")  # becomes a host name and a folder
FINISHED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


class JobNotFound(NotFound):
    """This node knows no job by that name."""


class JobDiffers(Conflict):
    """Another job was asked for under the same name."""


class JobRefused(Problem):
    """A job that cannot be done as it is asked for."""

    status = 422


class Phase(StrEnum):
    """What a running job is at; of those with a sandbox another agent can take over."""

    READY = "ready"
    LAYER = "layer"
    MAIN = "main"


@dataclass(frozen=True)
class Job:
    """One job as it stands; ``cancelled``: somebody wants it to end."""

    name: str
    spec: JobSpec
    asked: datetime
    state: JobState = JobState.QUEUED
    phase: Phase = Phase.READY
    step: str = ""
    cancelled: bool = False
    started: datetime | None = None
    finished: datetime | None = None
    exit: Exit | None = None
    size: int | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in FINISHED

    def report(self) -> JobReport:
        """Return the shape that crosses to the server."""
        return JobReport(
            job=self.name,
            state=self.state,
            step=self.step,
            exit=self.exit,
            started=self.started,
            finished=self.finished,
            size=self.size,
        )

    def ended(self, exit: Exit, *, size: int | None = None) -> "Job":
        """Return it finished, as its exit says; a job somebody cancelled is cancelled."""
        state = JobState.SUCCEEDED if exit.code == 0 else JobState.FAILED
        if self.cancelled and exit.code != 0:
            state = JobState.CANCELLED
        step = "" if state is JobState.SUCCEEDED else self.step
        return replace(self, state=state, exit=exit, finished=exit.at, size=size, step=step)


def check(name: str, spec: JobSpec) -> None:
    """Refuse what can never be done."""
    if not NAME.fullmatch(name):
        raise JobRefused(f"{name!r} cannot name a job: letters, digits, - _ . and at most 63.")
    if spec.kind is JobKind.BUILD and not (spec.source and spec.output and spec.plan):
        raise JobRefused("A build needs a source, a plan and a name for its output.")
    if spec.kind is not JobKind.BUILD and not (spec.build and (spec.command or spec.argv)):
        raise JobRefused("This job needs a build and a command to run in it.")


def is_same(known: JobSpec, asked: JobSpec) -> bool:
    """Say whether two specs ask for the same work; configuration may have changed between."""
    return _essence(known) == _essence(asked)


def next_builds(
    queued: Sequence[Job], running: Sequence[Job], served: Sequence[str], *, at_once: int
) -> list[Job]:
    """Return the builds to begin now: teams take turns, and each team's are done in order.

    ``served`` names the teams whose builds began, the latest last.
    """
    turn = {team: place for place, team in enumerate(served, start=1)}
    busy = Counter(job.spec.team for job in running)
    waiting = sorted(queued, key=lambda job: (job.asked, job.name))
    chosen: list[Job] = []
    while waiting and len(running) + len(chosen) < at_once:
        best = min(waiting, key=lambda job: (busy[job.spec.team], turn.get(job.spec.team, 0)))
        waiting.remove(best)
        busy[best.spec.team] += 1
        turn[best.spec.team] = len(turn) + len(served) + 1
        chosen.append(best)
    return chosen


def ahead_of(
    name: str, queued: Sequence[Job], running: Sequence[Job], served: Sequence[str]
) -> tuple[int, int]:
    """Return how many builds of the same team, and of others, begin before this one."""
    order = next_builds(queued, running, served, at_once=len(queued) + len(running))
    at = next((at for at, job in enumerate(order) if job.name == name), 0)
    own = sum(job.spec.team == order[at].spec.team for job in order[:at])
    return own, at - own


def _essence(spec: JobSpec) -> tuple[object, ...]:
    if spec.kind is JobKind.BUILD:
        return (spec.kind, spec.app, spec.source, spec.output)
    return (spec.kind, spec.environment, spec.release, spec.build, spec.command, tuple(spec.argv))
