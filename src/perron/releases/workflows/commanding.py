"""The step that runs a release command, as a job of the engine."""

from perron import catalog, config, runtime, services
from perron.builds import Manifest
from perron.catalog import Environment
from perron.contract.node import JobKind, JobSpec, JobState
from perron.kit.db import UnitOfWork
from perron.kit.problems import Permanent, Temporary
from perron.kit.whereabouts import home_of, settings_of
from perron.operations import Work
from perron.releases.model.release import Release
from perron.releases.service import reading, rollout

from .seeing import ending, subject, tell_lines


def run_release_command(work: Work) -> None:
    """Run the ``release:`` command once, before any visitor meets the new release."""
    with work.reading() as uow:
        environment, release = subject(uow, work)
        manifest = Manifest.from_json(release.manifest or {})
        home = home_of(uow)
    if manifest.release_command is None:
        return
    _have_volumes(work, environment, manifest)
    with work.reading() as uow:
        spec = release_job(uow, environment, release, manifest)
    report = runtime.ask_job(home, job_of(release), spec)
    if report.state not in runtime.FINISHED:
        raise Temporary(f"Running the release command: {manifest.release_command}")
    if report.state is not JobState.SUCCEEDED:
        why = ending(report)
        tell_lines(work, environment, report, source="release")
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
        url=reading.url_of(uow, environment).rstrip("/"),
        release=release.number,
        build=release.build,
        command=manifest.release_command or "",
        env={name: value.text for name, value in values.items()},
        mask=[value.text for value in values.values() if value.secret],
        volumes=services.mounts(uow, environment.id),
        connect=manifest.connect,
        timeout=settings_of(uow).build_timeout,
    )


def job_of(release: Release) -> str:
    """Name the job of a release's command."""
    return f"release-{release.id}"


def _have_volumes(work: Work, environment: Environment, manifest: Manifest) -> None:
    """Create what perron.toml names for the first time: the command may fill it."""
    with work.reading() as uow:
        there = {each.name for each in services.mounts(uow, environment.id)}
    if not manifest.volumes.keys() <= there:
        with work.transaction() as uow:
            rollout.ensure_volumes(uow, environment, manifest)
