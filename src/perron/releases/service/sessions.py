"""One-off commands: asked for here, run by the agent, written down on the spine."""

from functools import partial

from perron import catalog, config, runtime, services
from perron.builds import Manifest
from perron.catalog import Environment
from perron.contract.node import JobKind, JobReport, JobSpec
from perron.contract.sessions import RunRequest
from perron.kit import ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.nodeclient import AgentRefused
from perron.kit.problems import NotFound
from perron.releases.model.events import ExecOpened, RunAsked
from perron.releases.model.release import DeployRefused, Release, RequestRefused

from .reading import live_release

TIMEOUT = 24 * 3600.0


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
    uow.once_kept.append(partial(runtime.engine(uow).ask_job, _job(id), spec))
    return id


def report(uow: UnitOfWork, environment: Environment, run: str) -> JobReport:
    """Return how a one-off command stands."""
    name = job_of(uow, environment, run)
    try:
        return runtime.engine(uow).job(name)
    except AgentRefused as no:
        if no.status != 404:
            raise
        raise RunNotFound(f"There is no run {run!r} any more.") from no


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


def _check(argv: list[str]) -> None:
    if not argv or not argv[0] or any("\0" in part for part in argv):
        raise RequestRefused("Say which command to run, such as: -- python manage.py shell")
    if sum(len(part.encode(errors="replace")) for part in argv) > 65_536:
        raise RequestRefused("The command is longer than 65,536 bytes; put it into a file.")


def _spec(
    uow: UnitOfWork, environment: Environment, release: Release, request: RunRequest
) -> JobSpec:
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
        release=release.number,
        build=release.build,
        argv=request.argv,
        env={name: value.text for name, value in values.items()},
        mask=[value.text for value in values.values() if value.secret],
        volumes=services.mounts(uow, environment.id),
        connect=manifest.connect,
        timeout=TIMEOUT,
        interactive=request.interactive,
        terminal=request.terminal,
    )


def _job(run: str) -> str:
    return f"run-{run}"
