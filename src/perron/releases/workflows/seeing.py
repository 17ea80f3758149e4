"""What steps share: where they are, and waiting until what was wished for is seen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perron import catalog, runtime, telemetry
from perron.catalog import Environment
from perron.contract.node import EnvironmentReport, JobReport, JobState, ProcessSet
from perron.kit.db import UnitOfWork
from perron.kit.problems import Permanent, Problem, Temporary
from perron.operations import Work
from perron.releases.model.editions import Edition
from perron.releases.model.progress import Failure, Standing, failure, laggard, standing
from perron.releases.model.release import Release
from perron.releases.service import reading, wishes
from perron.runtime import Wish

LAST_LINES = 20
MARGIN = 5.0
ROTATION_DEADLINE = 30.0
SIGHTS_KEPT = 4096


@dataclass(frozen=True)
class Sight:
    """An environment's wish beside what is seen of it, and for how long that answers it.

    Deadlines count from when the machine is seen to answer: what was dead had no time to act.
    """

    environment: Environment
    wish: Wish
    report: EnvironmentReport
    seconds: float


_answered: dict[tuple[str, int], float] = {}


def subject(uow: UnitOfWork, work: Work) -> tuple[Environment, Release]:
    """Return the release an operation is about, and where it is."""
    release = reading.release_with(uow, work.operation.subject)
    return catalog.environment_with(uow, release.environment), release


def place(uow: UnitOfWork, work: Work) -> Environment:
    """Return the environment an operation is about."""
    return catalog.environment_with(uow, work.operation.subject)


def look(uow: UnitOfWork, environment: Environment) -> Sight:
    """Return what is seen, or raise Temporary while nothing answers the newest wish."""
    wish = runtime.find_wish(uow, environment.id)
    if wish is None:
        raise Permanent("Nothing is wished for here any more.")
    key = (environment.id, wish.generation)
    report = runtime.observed(uow, environment.id)
    if report is None:
        _answered.pop(key, None)
        raise Temporary("Waiting for the machine: nothing was heard from it just now.")
    if not runtime.is_heard(report, wish.generation):
        raise Temporary("Waiting for the machine to hear what should run.")
    return Sight(environment, wish, report, time.monotonic() - _since(key))


def expect_healthy(work: Work, sight: Sight, sets: Sequence[ProcessSet]) -> Standing:
    """Return when all instances of these sets are well.

    Raises Temporary while they start, and Permanent with the last lines when one will not.
    """
    now = standing(sight.report, sets)
    if now.well == now.wished:
        return now
    if broken := failure(sight.report, sets):
        _give_up(work, sight, broken)
    if sight.seconds > deadline_of(sets):
        late = laggard(sight.report, sets)
        _give_up(work, sight, late or Failure("An instance", 0, "it was never seen"))
    raise Temporary(now.text)


def expect_reached(sight: Sight, edition: Edition) -> Standing:
    """Return when visitors reach every web instance of an edition; Temporary until then."""
    sets = [e for e in wishes.sets_of_edition(sight.wish, edition) if e.process == "web"]
    now = standing(sight.report, sets)
    if now.reached >= now.wished:
        return now
    if sight.seconds > ROTATION_DEADLINE:
        raise Permanent(f"Visitors reach {now.reached} of {now.wished} instances after 30 s.")
    raise Temporary(f"Visitors reach {now.reached} of {now.wished} instances.")


def deadline_of(sets: Sequence[ProcessSet]) -> float:
    """Return how long the slowest of these sets may take to start, stopping first if it must."""
    seconds = 0.0
    for one in sets:
        stopping = one.drain_timeout + one.stop_timeout if one.stop_first else 0.0
        seconds = max(seconds, one.health.deadline + stopping)
    return seconds + MARGIN


def last_lines(uow: UnitOfWork, environment: str, **which: Any) -> list[str]:
    """Return the last lines somebody will want to read; none when they cannot be had now."""
    try:
        return telemetry.last_lines(uow, environment, n=LAST_LINES, **which)
    except Problem:
        return []


def tell_lines(work: Work, environment: Environment, report: JobReport, *, source: str) -> None:
    """Say how a job ended, with the last lines it wrote."""
    with work.reading() as uow:
        lines = last_lines(uow, environment.id, source=source, job=report.job)
    work.say(f"The {source} {ending(report)}.", lines=lines, job=report.job)


def ending(report: JobReport) -> str:
    """Return how a job ended that did not succeed, in words that follow its name."""
    if report.state is JobState.CANCELLED:
        return "was cancelled"
    return f"failed: {report.exit.text}" if report.exit else "failed"


def _since(key: tuple[str, int]) -> float:
    """Return when the machine was first seen to answer a wish; a new server counts anew."""
    if key not in _answered and len(_answered) >= SIGHTS_KEPT:
        _answered.clear()
    return _answered.setdefault(key, time.monotonic())


def _give_up(work: Work, sight: Sight, broken: Failure) -> None:
    with work.reading() as uow:
        lines = last_lines(
            uow,
            sight.environment.id,
            source="app",
            instance=broken.instance,
            release=broken.release,
        )
    work.say(broken.text, lines=lines, instance=broken.instance, reason=broken.reason)
    raise Permanent(broken.text)
