"""What can be done with builds: plan, start, note, find."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from perron import catalog
from perron.builds import store
from perron.builds.model.build import (
    Build,
    BuildAsked,
    BuildFailed,
    BuildFinished,
    BuildNotFound,
    BuildReused,
    BuildStarted,
    Planned,
    digest_of,
    identity_of,
    scoped,
)
from perron.builds.model.detected import Detected
from perron.builds.model.fetching import completed
from perron.catalog import Environment
from perron.contract.node import BuildPlan, Fetch, Interpreter, JobKind, JobReport, JobSpec, Limits
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.settings import Home, Settings
from perron.kit.whereabouts import settings_of

from . import archive, sources
from .detecting import detect
from .upload import source_path


def plan_build(
    uow: UnitOfWork,
    environment: Environment,
    source: str,
    root: str = ".",
    *,
    build_config: Mapping[str, str],
    build_config_digest: str,
    detected: Detected,
    fetch: Fetch,
) -> Planned:
    """Say what must be built, and how; nothing is written.

    ``detected`` is what ``detect_source`` found, before this transaction began.
    """
    sources.get_source(uow, environment.app, source)
    fetch = completed(fetch)
    plan = scoped(detected.plan, f"{environment.team}/{_indexes(fetch)}")
    identity = identity_of(
        app=environment.app,
        source=source,
        root=root,
        detected=_with_plan(detected, plan),
        config=build_config_digest,
    )
    return Planned(
        identity=identity,
        job=_job(uow, environment, source, identity, plan, build_config, fetch),
        detected=detected,
        app=environment.app,
        source=source,
        root=root,
        place=environment.place,
    )


def detect_source(
    home: Home, settings: Settings, source: str, root: str, interpreters: Sequence[Interpreter]
) -> Detected:
    """Say how a kept source will be built and run; it reads the archive, in no transaction."""
    contents = sources.contents_of(home, settings, source)

    def read(name: str) -> str | None:
        if name in contents.texts:
            return contents.texts[name]
        return archive.read_one(source_path(home, source), name) or ""

    return detect(contents.files, read, root=root, interpreters=interpreters, source=source)


def note_asked(uow: UnitOfWork, planned: Planned, provenance: Mapping[str, Any]) -> None:
    """Write down that a deploy needs a build that is not there."""
    detector = planned.detected.detector
    _record(uow, planned, BuildAsked(planned.identity, planned.source, detector, {**provenance}))


def note_reused(uow: UnitOfWork, planned: Planned) -> None:
    """Write down that a deploy found the build it needs."""
    _record(uow, planned, BuildReused(planned.identity, planned.source))


def note_started(uow: UnitOfWork, planned: Planned, at: datetime | None = None) -> None:
    """Write down that the build began, at the moment the engine says."""
    _record(uow, planned, BuildStarted(planned.identity, planned.source), at)


def note_built(uow: UnitOfWork, planned: Planned, report: JobReport) -> Build:
    """Write down that the build is there; twice is harmless."""
    known = store.find_build(uow, planned.app, planned.identity)
    if known:
        return known
    detector = planned.detected.detector
    build = Build(
        identity=planned.identity,
        app=planned.app,
        source=planned.source,
        root=planned.root,
        detector=detector,
        manifest=planned.manifest,
        created=clock.now(),
        size=report.size,
    )
    store.add_build(uow, build)
    finished = BuildFinished(
        planned.identity, planned.source, detector, report.size, _seconds(report)
    )
    _record(uow, planned, finished)
    return build


def note_failed(uow: UnitOfWork, planned: Planned, reason: str, *, step: str = "") -> None:
    """Write down that the build came to nothing."""
    _record(uow, planned, BuildFailed(planned.identity, planned.source, step, reason))


def find_build(uow: UnitOfWork, app: str, identity: str) -> Build | None:
    """Return the app's build, if there is one."""
    return store.find_build(uow, app, identity)


def get_build(uow: UnitOfWork, app: str, identity: str) -> Build:
    """Return the app's build, or raise BuildNotFound."""
    build = store.find_build(uow, app, identity)
    if build is None:
        raise BuildNotFound(f"This app has no build {identity[:12]}; deploy its source again.")
    return build


def list_builds(uow: UnitOfWork, app: str, *, before: datetime) -> list[str]:
    """Return the identities of the app's builds that were made before a moment."""
    return store.builds_of(uow, app, before=before)


def known_builds(uow: UnitOfWork) -> set[str]:
    """Return the identity of every app's builds."""
    return store.all_builds(uow)


def forget_build(uow: UnitOfWork, app: str, identity: str) -> None:
    """Forget a build that nothing needs; its files are the engine's to remove."""
    store.drop_build(uow, app, identity)


def forget_app(uow: UnitOfWork, app: str) -> list[str]:
    """Forget all sources and builds of an app; return the identities whose files may go."""
    identities = store.builds_of(uow, app)
    for identity in identities:
        store.drop_build(uow, app, identity)
    sources.prune_sources(uow, app, keep=())
    return identities


def _job(
    uow: UnitOfWork,
    environment: Environment,
    source: str,
    output: str,
    plan: BuildPlan,
    config: Mapping[str, str],
    fetch: Fetch,
) -> JobSpec:
    settings = settings_of(uow)
    return JobSpec(
        kind=JobKind.BUILD,
        environment=environment.id,
        app=environment.app,
        team=environment.team,
        app_name=catalog.get_app(uow, environment.app).name,
        environment_name=environment.name,
        source=source,
        output=output,
        plan=plan,
        env=dict(config),
        mask=[value for value in config.values() if len(value) >= 4],
        fetch=fetch,
        limits=Limits(memory=settings.build_memory),
        timeout=settings.build_timeout,
    )


def _with_plan(detected: Detected, plan: BuildPlan) -> Detected:
    return Detected(**(vars(detected) | {"plan": plan}))


def _indexes(fetch: Fetch) -> str:
    """Name where packages come from, so that a layer from one index is not taken for another's."""
    told = {
        name: value
        for name, value in fetch.environment.items()
        if any(part in name.upper() for part in ("INDEX", "FIND_LINKS", "REGISTRY"))
    }
    return digest_of(told)


def _seconds(report: JobReport) -> float | None:
    if report.started is None or report.finished is None:
        return None
    return (report.finished - report.started).total_seconds()


def _record(
    uow: UnitOfWork, planned: Planned, what: spine.Happening, at: datetime | None = None
) -> None:
    """Write an event down once for each deploy: a step that is done again tells nothing twice."""
    if uow.correlation and spine.has_told(uow, what.type, subject=planned.identity):
        return
    spine.record(uow, what, subject=planned.identity, of=planned.place, time=at)
