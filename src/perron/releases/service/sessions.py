"""One-off commands: asked for here, run by the agent, written down on the spine."""

import logging
from datetime import timedelta
from functools import partial

from perron import catalog, config, runtime, services
from perron.builds import Manifest
from perron.catalog import Environment
from perron.contract.node import JobKind, JobReport, JobSpec, JobState
from perron.contract.sessions import RunRequest
from perron.kit import clock, ids, spine
from perron.kit.db import Database, UnitOfWork, reading, unit_of_work
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import NotFound
from perron.kit.settings import Home
from perron.kit.whereabouts import home_of
from perron.releases import store
from perron.releases.model.events import ExecOpened, RunAsked
from perron.releases.model.release import DeployRefused, Release, RequestRefused, WaitingRun

from .reading import get_release, live_release, url_of

TIMEOUT = 24 * 3600.0
LONGEST_WAIT = timedelta(hours=1)
log = logging.getLogger(__name__)


class RunNotFound(NotFound):
    """No one-off command has that id here."""


class InstanceNotFound(NotFound):
    """No instance has that name or id here."""


def ask(uow: UnitOfWork, environment: Environment, request: RunRequest) -> str:
    """Have a command run once with what is live, when this is written down; return its id."""
    release = live_release(uow, environment.id)
    if release is None or release.build is None:
        raise DeployRefused("Nothing is live here yet to run a command with; first: perron deploy.")
    _check(request.argv)
    id = ids.new("run")
    spec = _spec(uow, environment, release, request)
    asked = RunAsked(id, request.argv[0])
    spine.record(uow, asked, subject=id, of=environment.place)
    waiting = WaitingRun(id, environment.id, release.id, clock.now(), request.model_dump_json())
    store.keep_run(uow, waiting)
    uow.once_kept.append(partial(_hand_over, uow.connection.engine, home_of(uow), id, spec))
    return id


def runnable(uow: UnitOfWork, environment: Environment) -> Release:
    """Return the release a command can be run with now, or raise DeployRefused."""
    release = live_release(uow, environment.id)
    if release is None or release.build is None:
        raise DeployRefused("Nothing is live here yet to run a command with; first: perron deploy.")
    if store.is_stopped(uow, environment.id):
        raise DeployRefused("This environment is stopped; first: perron start.")
    return release


def scheduled_job(
    uow: UnitOfWork, environment: Environment, number: int, *, command: str, timeout: float
) -> JobSpec:
    """Return the job of a command that runs by the clock, with a release of the environment."""
    release = get_release(uow, environment, number)
    return _job_spec(uow, environment, release).model_copy(
        update={"kind": JobKind.CRON, "command": command, "timeout": timeout}
    )


def hand_over_waiting(database: Database, home: Home) -> None:
    """Ask for every run that was written down and may not have been asked for.

    A server that is killed between the two leaves one behind; asking twice is asking once.
    """
    with reading(database) as uow:
        specs = {each.id: _spec_of(uow, each) for each in store.waiting_runs(uow)}
    for id, spec in specs.items():
        if spec is None:
            _forget(database, id)
            continue
        try:
            runtime.engine_of(home).ask_job(_job(id), spec)
        except AgentAway:
            return
        except AgentRefused as no:
            log.warning("The run %s will not start: %s", id, no.detail)
        _forget(database, id)


def report(uow: UnitOfWork, environment: Environment, run: str) -> JobReport:
    """Return how a one-off command stands."""
    name = job_of(uow, environment, run)
    try:
        return runtime.engine(uow).job(name)
    except AgentRefused as no:
        if no.status != 404:
            raise
        if store.is_waiting(uow, run):
            return JobReport(job=name, state=JobState.QUEUED)
        raise RunNotFound(
            f"There is no run {run!r} any more: it ended long ago, or never began. "
            "To run the command again: perron run -- …"
        ) from no


def job_of(uow: UnitOfWork, environment: Environment, run: str) -> str:
    """Return the job of a run of this environment, or raise RunNotFound."""
    if not spine.has(uow, RunAsked.type, subject=run, environment=environment.id):
        raise RunNotFound(f"There is no run {run!r} here.")
    return _job(run)


def open_exec(uow: UnitOfWork, environment: Environment, instance: str, argv: list[str]) -> str:
    """Write down that somebody enters an instance, and return its id."""
    _check(argv)
    report = runtime.observed(uow, environment.id)
    for each in report.instances if report else ():
        if instance in (each.id, each.name) and each.state not in runtime.ENDING:
            opened = ExecOpened(each.id, argv[0])
            spine.record(uow, opened, subject=each.id, of=environment.place)
            return each.id
    raise InstanceNotFound(f"There is no instance {instance!r} here; perron ps lists them.")


def _hand_over(database: Database, home: Home, id: str, spec: JobSpec) -> None:
    try:
        runtime.engine_of(home).ask_job(_job(id), spec)
    finally:  # refused, it is told to the caller, who asks anew
        _forget(database, id)


def _forget(database: Database, id: str) -> None:
    with unit_of_work(database) as uow:
        store.drop_run(uow, id)


def _spec_of(uow: UnitOfWork, waiting: WaitingRun) -> JobSpec | None:
    """Put a waiting run's job together again; None when there is nothing left to run it with."""
    release = store.find(uow, waiting.release)
    if release is None or release.build is None or clock.now() - waiting.asked > LONGEST_WAIT:
        return None
    try:
        environment = catalog.environment_with(uow, waiting.environment)
    except NotFound:
        return None
    request = RunRequest.model_validate_json(waiting.request)
    return _spec(uow, environment, release, request)


def _check(argv: list[str]) -> None:
    if not argv or not argv[0] or any("\0" in part for part in argv):
        raise RequestRefused("Say which command to run, such as: -- python manage.py shell")
    if sum(len(part.encode(errors="replace")) for part in argv) > 65_536:
        raise RequestRefused("The command is longer than 65,536 bytes; put it into a file.")


def _spec(
    uow: UnitOfWork, environment: Environment, release: Release, request: RunRequest
) -> JobSpec:
    return _job_spec(uow, environment, release).model_copy(
        update={
            "argv": request.argv,
            "interactive": request.interactive,
            "terminal": request.terminal,
        }
    )


def _job_spec(uow: UnitOfWork, environment: Environment, release: Release) -> JobSpec:
    """Return what every job has that runs beside what is live: its build, config and volumes."""
    values = config.snapshot_of(uow, release.id)
    app = catalog.get_app(uow, environment.app)
    manifest = Manifest.from_json(release.manifest or {})
    return JobSpec(
        kind=JobKind.RUN,
        environment=environment.id,
        app=app.id,
        team=app.team,
        app_name=app.name,
        environment_name=environment.name,
        url=url_of(uow, environment).rstrip("/"),
        release=release.number,
        build=release.build,
        env={name: value.text for name, value in values.items()},
        mask=[value.text for value in values.values() if value.secret],
        volumes=services.mounts(uow, environment.id),
        connect=manifest.connect,
        timeout=TIMEOUT,
    )


def _job(run: str) -> str:
    return f"run-{run}"
