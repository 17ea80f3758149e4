"""The step that makes a build, or finds it made, as a job of the engine."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from perron import builds, config, quotas, runtime
from perron.builds import Detected, Planned
from perron.catalog import Environment
from perron.contract.node import Fetch, Interpreter, JobReport, JobState
from perron.kit import clock
from perron.kit.db import UnitOfWork
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import Permanent, Problem, Temporary
from perron.kit.settings import Home
from perron.kit.whereabouts import home_of, settings_of
from perron.operations import Work
from perron.releases.model.progress import queueing
from perron.releases.model.release import Release, short
from perron.releases.service import rollout

from .seeing import ending, subject, tell_lines

PLANS_KEPT = 64


@dataclass
class _Making:
    """A plan, and what this process already wrote down of it: a step comes back again and again."""

    planned: Planned
    told: set[str] = field(default_factory=set)

    def tell(self, work: Work, what: str, note: Callable[[UnitOfWork, Planned], None]) -> None:
        if what not in self.told:
            with work.transaction() as uow:
                note(uow, self.planned)
            self.told.add(what)


_plans: OrderedDict[str, _Making] = OrderedDict()
_lock = Lock()


def build(work: Work) -> None:
    """Have what the release runs: reuse a build, or have it made and wait for it."""
    with work.reading() as uow:
        environment, release = subject(uow, work)
    if release.build and _is_there(work, environment, release.build):
        return
    making = _plan(work, environment, release)
    planned = making.planned
    is_there = _is_there(work, environment, planned.identity)
    if is_there:
        work.say("Nothing changed that a build is made of: reused.", build=planned.identity)
    else:
        _make(work, environment, release, making)
    with work.transaction() as uow:
        if is_there:
            builds.note_reused(uow, planned)
        manifest = planned.manifest.as_json()
        rollout.note_built(uow, environment, release, build=planned.identity, manifest=manifest)
    _forget_plan(release)


def cancel_build(work: Work) -> None:
    """End the job that builds."""
    with work.reading() as uow:
        _, release = subject(uow, work)
        runtime.cancel_job(home_of(uow), build_job(release))


def build_job(release: Release) -> str:
    """Name the job that builds for a release; a later try of the same build is another job."""
    return f"build-{release.id}"


def _is_there(work: Work, environment: Environment, identity: str) -> bool:
    """Say whether a build is known and its files are there; one whose files are lost is forgotten.

    Somebody may have cleaned up the machine: then the build is made again from its source.
    """
    with work.reading() as uow:
        engine = runtime.engine(uow)
        is_known = builds.find_build(uow, environment.app, identity) is not None
    try:
        if not is_known or engine.has_build(identity):
            return is_known
    except AgentAway as away:
        raise Temporary(str(away)) from away
    with work.transaction() as uow:
        builds.forget_build(uow, environment.app, identity)
    work.say(f"The machine lost build {short(identity)}: it is made again.", build=identity)
    return False


def _plan(work: Work, environment: Environment, release: Release) -> _Making:
    """Return what to build; looked at once, although the step comes back when the job ends."""
    with _lock:
        if known := _plans.get(release.id):
            return known
    detected = _detect(work, environment, release)
    with work.reading() as uow:
        try:
            planned = builds.plan_build(
                uow,
                environment,
                release.source,
                release.root,
                build_config=config.build_values(uow, release.id),
                build_config_digest=config.build_digest(uow, release.id),
                detected=detected,
                fetch=Fetch(environment=settings_of(uow).fetch),
            )
        except Problem as no:
            raise Permanent(no.detail) from no
    work.say(planned.detected.reason, detected=planned.detected.detector)
    for note in planned.detected.notes:
        work.say(note)
    making = _Making(planned)
    with _lock:
        _plans[release.id] = making
        while len(_plans) > PLANS_KEPT:
            _plans.popitem(last=False)
    return making


def _detect(work: Work, environment: Environment, release: Release) -> Detected:
    """Look at the source and the machine while no transaction is open."""
    with work.reading() as uow:
        home, settings = home_of(uow), settings_of(uow)
    interpreters = _interpreters(home)
    try:
        with work.reading() as uow:
            builds.get_source(uow, environment.app, release.source)
        return builds.detect_source(home, settings, release.source, release.root, interpreters)
    except Problem as no:
        raise Permanent(no.detail) from no


def _interpreters(home: Home) -> list[Interpreter]:
    try:
        return runtime.engine_of(home).node().interpreters
    except AgentAway as away:
        raise Temporary(str(away)) from away


def forget_plans() -> None:
    """Forget what this process keeps in memory only: everything can be planned anew."""
    with _lock:
        _plans.clear()


def _forget_plan(release: Release) -> None:
    with _lock:
        _plans.pop(release.id, None)


def _make(work: Work, environment: Environment, release: Release, making: _Making) -> None:
    """Return when the build is made; Temporary while it is, Permanent when it failed."""
    planned, name = making.planned, build_job(release)
    if "asked" not in making.told:
        _check_quotas(work, environment, name)
    making.tell(work, "asked", partial(builds.note_asked, provenance=release.provenance))
    home = _hand_over(work, release, making)
    named = planned.job.model_copy(update={"release": release.number})
    report = runtime.ask_job(home, name, named)
    if report.state is JobState.QUEUED:
        raise Temporary(queueing(report.ahead_own, report.ahead_others))
    making.tell(work, "started", partial(_note_started, environment, report))
    if report.state is JobState.RUNNING:
        raise Temporary("Building.")
    if report.state is not JobState.SUCCEEDED:
        tell_lines(work, environment, report, source="build")
        with work.transaction() as uow:
            quotas.end_build(uow, name, report.finished or clock.now())
            builds.note_failed(uow, planned, ending(report), step=report.step)
        at = f" at “{report.step}”" if report.step else ""
        raise Permanent(f"The build {ending(report)}{at}.")
    with work.transaction() as uow:
        quotas.end_build(uow, name, report.finished or clock.now())
        builds.note_built(uow, planned, report)
    work.say(f"Built {short(planned.identity)}.", build=planned.identity, size=report.size)


def _check_quotas(work: Work, environment: Environment, name: str) -> None:
    """Refuse a build the team has no minutes or disk for; one that waits since before ends too."""
    try:
        with work.reading() as uow:
            quotas.check_building(uow, environment.team)
    except quotas.QuotaExceeded:
        with work.reading() as uow:
            home = home_of(uow)
        runtime.cancel_job(home, name)
        raise


def _note_started(
    environment: Environment, report: JobReport, uow: UnitOfWork, planned: Planned
) -> None:
    builds.note_started(uow, planned, at=report.started)
    quotas.begin_build(uow, environment.team, report.job, report.started or clock.now())


def _hand_over(work: Work, release: Release, making: _Making) -> Home:
    """Let the engine have the source: once, for it may be large."""
    with work.reading() as uow:
        home, engine = home_of(uow), runtime.engine(uow)
    if "source" in making.told:
        return home
    try:
        engine.put_source(release.source, builds.source_path(home, release.source))
    except AgentAway as away:
        raise Temporary(str(away)) from away
    except AgentRefused as no:
        raise Permanent(f"The source was refused: {no.detail}") from no
    making.told.add("source")
    return home
