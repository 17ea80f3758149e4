"""The steps that make a build and run its release command, as jobs of the engine."""

from collections import OrderedDict
from threading import Lock

from perron import builds, catalog, config, runtime, services
from perron.builds import Detected, Manifest, Planned
from perron.catalog import Environment
from perron.contract.node import Fetch, Interpreter, JobKind, JobReport, JobSpec, JobState
from perron.kit.db import UnitOfWork
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import Permanent, Problem, Temporary
from perron.kit.settings import Home
from perron.kit.whereabouts import home_of, settings_of
from perron.operations import Work
from perron.releases.model.release import Release, short
from perron.releases.service import rollout

from .seeing import last_lines, subject

PLANS_KEPT = 64
_plans: OrderedDict[str, Planned] = OrderedDict()
_lock = Lock()


def build(work: Work) -> None:
    """Have what the release runs: reuse a build, or have it made and wait for it."""
    with work.reading() as uow:
        environment, release = subject(uow, work)
        if release.build and builds.find_build(uow, environment.app, release.build):
            return
    planned = _plan(work, environment, release)
    if planned.job is None:
        work.say("Nothing changed that a build is made of: reused.", build=planned.identity)
    else:
        _make(work, environment, release, planned, planned.job)
    with work.transaction() as uow:
        manifest = planned.manifest.as_json()
        rollout.note_built(uow, release, build=planned.identity, manifest=manifest)
    _forget_plan(release)


def cancel_build(work: Work) -> None:
    """End the job that builds."""
    with work.reading() as uow:
        _, release = subject(uow, work)
        runtime.cancel_job(home_of(uow), build_job(release))


def run_release_command(work: Work) -> None:
    """Run the ``release:`` command once, before any visitor meets the new release."""
    with work.reading() as uow:
        environment, release = subject(uow, work)
        manifest = Manifest.from_json(release.manifest or {})
        if manifest.release_command is None:
            return
        spec = release_job(uow, environment, release, manifest)
        report = runtime.ask_job(home_of(uow), job_of(release), spec)
    if report.state not in runtime.FINISHED:
        raise Temporary(f"Running the release command: {manifest.release_command}")
    if report.state is not JobState.SUCCEEDED:
        why = _ending(report)
        _tell(work, environment, report, source="release")
        raise Permanent(f"The release command {why}: {manifest.release_command}")
    work.say("The release command ran.", command=manifest.release_command)


def cancel_release_command(work: Work) -> None:
    """End the release command: a person asked for it."""
    with work.reading() as uow:
        _, release = subject(uow, work)
        runtime.cancel_job(home_of(uow), job_of(release))


def release_job(
    uow: UnitOfWork, environment: Environment, release: Release, manifest: Manifest
) -> JobSpec:
    """Return the job of a release's command, with its build, configuration and volumes."""
    values = config.snapshot_of(uow, release.id)
    app = catalog.get_app(uow, environment.app)
    return JobSpec(
        kind=JobKind.RELEASE,
        environment=environment.id,
        app=app.id,
        team=app.team,
        app_name=app.name,
        environment_name=environment.name,
        release=release.number,
        build=release.build,
        command=manifest.release_command or "",
        env={name: value.text for name, value in values.items()},
        mask=[value.text for value in values.values() if value.secret],
        volumes=services.mounts(uow, environment.id),
        connect=manifest.connect,
        timeout=settings_of(uow).build_timeout,
    )


def build_job(release: Release) -> str:
    """Name the job that builds for a release; a later try of the same build is another job."""
    return f"build-{release.id}"


def job_of(release: Release) -> str:
    """Name the job of a release's command."""
    return f"release-{release.id}"


def _plan(work: Work, environment: Environment, release: Release) -> Planned:
    """Return what to build; looked at once, although the step comes back when the job ends."""
    with _lock:
        if known := _plans.get(release.id):
            return known
    detected = _detect(work, environment, release)
    with work.transaction() as uow:
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
                provenance=release.provenance,
            )
        except Problem as no:
            raise Permanent(no.detail) from no
    work.say(planned.detected.reason, detected=planned.detected.detector)
    for note in planned.detected.notes:
        work.say(note)
    with _lock:
        _plans[release.id] = planned
        while len(_plans) > PLANS_KEPT:
            _plans.popitem(last=False)
    return planned


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


def _forget_plan(release: Release) -> None:
    with _lock:
        _plans.pop(release.id, None)


def _make(
    work: Work, environment: Environment, release: Release, planned: Planned, job: JobSpec
) -> None:
    """Return when the build is made; Temporary while it is, Permanent when it failed."""
    home = _hand_over(work, release)
    named = job.model_copy(update={"release": release.number})
    report = runtime.ask_job(home, build_job(release), named)
    if report.state not in runtime.FINISHED:
        raise Temporary("Building." if report.state is JobState.RUNNING else "Waiting to build.")
    if report.state is not JobState.SUCCEEDED:
        _tell(work, environment, report, source="build")
        with work.transaction() as uow:
            builds.note_failed(uow, planned, _ending(report), step=report.step)
        at = f" at “{report.step}”" if report.step else ""
        raise Permanent(f"The build {_ending(report)}{at}.")
    with work.transaction() as uow:
        builds.note_built(uow, planned, report)
    work.say(f"Built {short(planned.identity)}.", build=planned.identity, size=report.size)


def _hand_over(work: Work, release: Release) -> Home:
    """Let the engine have the source."""
    with work.reading() as uow:
        home, engine = home_of(uow), runtime.engine(uow)
    try:
        engine.put_source(release.source, builds.source_path(home, release.source))
    except AgentAway as away:
        raise Temporary(str(away)) from away
    except AgentRefused as no:
        raise Permanent(f"The source was refused: {no.detail}") from no
    return home


def _tell(work: Work, environment: Environment, report: JobReport, *, source: str) -> None:
    with work.reading() as uow:
        lines = last_lines(uow, environment.id, source=source, job=report.job)
    work.say(f"The {source} {_ending(report)}.", lines=lines, job=report.job)


def _ending(report: JobReport) -> str:
    if report.state is JobState.CANCELLED:
        return "was cancelled"
    return f"failed: {report.exit.text}" if report.exit else "failed"
