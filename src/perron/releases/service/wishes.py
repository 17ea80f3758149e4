"""Puts the wish of an environment together from everything that has a say in it."""

from collections.abc import Mapping

from perron import builds, catalog, config, edge, quotas, runtime, services
from perron.builds import Manifest
from perron.catalog import Environment
from perron.contract.node import EnvironmentWish, ProcessSet
from perron.kit.db import UnitOfWork
from perron.kit.whereabouts import settings_of
from perron.releases import store
from perron.releases.model.editions import SERVING, STARTING, Edition, Process, sets_of
from perron.releases.model.footprint import footprint, footprint_of
from perron.releases.model.release import Release
from perron.runtime import Wish


def refresh(uow: UnitOfWork, environment: Environment, *, may_grow: bool = True) -> Wish:
    """Wish for what follows from releases, scale, routing and volumes as they are now.

    Where somebody asks for more, ``may_grow`` is false: then it must fit the team's quotas.
    """
    wish = assemble(uow, environment)
    amounts = footprint(wish.sets, settings_of(uow))
    if not may_grow:
        quotas.check_hold(uow, environment.team, environment.id, amounts)
    quotas.hold(uow, environment.team, environment.id, amounts)
    return runtime.want(uow, wish)


def expect(uow: UnitOfWork, environment: Environment, manifest: Manifest) -> None:
    """Raise QuotaExceeded when what a release will run does not fit: before anything is run."""
    amounts = footprint_of(manifest, store.scale(uow, environment.id), settings_of(uow))
    quotas.check_hold(uow, environment.team, environment.id, amounts)


def assemble(uow: UnitOfWork, environment: Environment) -> EnvironmentWish:
    """Return what should run for the environment, and how visitors reach it."""
    app = catalog.get_app(uow, environment.app)
    routing = edge.routing_of(uow, environment)
    stopped = store.is_stopped(uow, environment.id)
    scale = store.scale(uow, environment.id)
    editions = _editions(uow, environment.id)
    is_nobody_home = scale.get("web") == 0 and any("web" in each for _, _, each in editions)
    return EnvironmentWish(
        environment=environment.id,
        app=app.id,
        team=environment.team,
        app_name=app.name,
        environment_name=environment.name,
        sets=sets_of(
            [(edition, processes) for edition, _, processes in editions],
            scale=scale,
            stopped=stopped,
            volumes=services.mounts(uow, environment.id),
        ),
        sticky=_is_sticky(editions),
        page="stopped" if stopped or is_nobody_home else "empty",
        **routing.as_wish(),
    )


def sets_of_edition(wish: Wish, edition: Edition) -> list[ProcessSet]:
    """Return the sets of one edition in a wish."""
    return [each for each in wish.wish.sets if each.revision == edition.mark]


def processes_of(uow: UnitOfWork, release: Release) -> dict[str, Process]:
    """Return what runs of a release, with what it is told."""
    if release.manifest is None or release.build is None:
        return {}
    manifest = Manifest.from_json(release.manifest)
    env = {name: value.text for name, value in config.snapshot_of(uow, release.id).items()}
    return {
        name: Process(_set(release, name, manifest, env), spec.rollout == "stop-first")
        for name, spec in manifest.processes.items()
    }


def _editions(
    uow: UnitOfWork, environment: str
) -> list[tuple[Edition, Release, Mapping[str, Process]]]:
    found: list[tuple[Edition, Release, Mapping[str, Process]]] = []
    for edition in store.editions_of(uow, environment):
        release = store.find(uow, edition.release)
        if release is not None:
            found.append((edition, release, processes_of(uow, release)))
    return found


def _set(release: Release, name: str, manifest: Manifest, env: dict[str, str]) -> ProcessSet:
    spec = manifest.processes[name]
    health = spec.health
    if name != "web" and health.kind == "http" and spec.health_path is None:
        health = health.model_copy(update={"kind": "up"})  # only web is known to have a port
    return ProcessSet(
        process=name,
        release=release.number,
        revision="",
        build=release.build or "",
        command=spec.command,
        count=1,
        health=health,
        drain_timeout=spec.drain_timeout,
        stop_timeout=spec.stop_timeout,
        limits=spec.limits,
        env=env,
        connect=manifest.connect,
    )


def _is_sticky(editions: list[tuple[Edition, Release, Mapping[str, Process]]]) -> bool:
    """Say whether the newest edition that serves wants visitors to stay where they are."""
    serving = [release for edition, release, _ in editions if edition.phase in (SERVING, STARTING)]
    if not serving or serving[0].manifest is None:
        return False
    web = builds.Manifest.from_json(serving[0].manifest).processes.get("web")
    return bool(web and web.sticky)
