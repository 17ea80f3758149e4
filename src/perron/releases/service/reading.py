"""What is known of releases."""

from perron import catalog, config, runtime
from perron.catalog import Environment
from perron.config import Difference
from perron.kit.db import UnitOfWork
from perron.kit.problems import NotFound
from perron.kit.whereabouts import settings_of
from perron.releases import store
from perron.releases.model.release import (
    ASKED,
    BuildLost,
    Changes,
    Release,
    ReleaseNotFound,
    commits_between,
    compare,
    live,
    short,
)


def list_releases(
    uow: UnitOfWork, environment: Environment, *, before: int | None = None, limit: int = 100
) -> list[Release]:
    """Return some of the environment's releases, newest first."""
    return store.page(uow, environment.id, before=before, limit=limit)


def live_release(uow: UnitOfWork, environment: str) -> Release | None:
    """Return the release that serves visitors now, if any."""
    return live(store.in_state(uow, "live", environment))


def on_their_way(uow: UnitOfWork, environment: str) -> list[Release]:
    """Return the releases that are neither live nor ended, oldest first."""
    return store.in_state(uow, ASKED, environment)


def get_release(uow: UnitOfWork, environment: Environment, number: int) -> Release:
    """Return the release by number, or raise ReleaseNotFound."""
    release = store.numbered(uow, environment.id, number)
    if release is None:
        raise ReleaseNotFound(f"There is no release {number}; perron releases lists them.")
    return release


def release_with(uow: UnitOfWork, id: str) -> Release:
    """Return the release by id, or raise ReleaseNotFound."""
    release = store.find(uow, id)
    if release is None:
        raise ReleaseNotFound(f"There is no release {id!r}.")
    return release


def has_lost_build(uow: UnitOfWork, release: Release) -> bool:
    """Say whether the machine tells that it lost the files of what the release runs."""
    report = runtime.observed(uow, release.environment)
    return report is not None and release.build in report.lost


def check_build(uow: UnitOfWork, release: Release) -> None:
    """Raise BuildLost when no instance of the release could be started any more."""
    if has_lost_build(uow, release):
        raise BuildLost(
            f"The machine lost the files of build {short(release.build or '')}, so release "
            f"{release.number} cannot start new instances; what runs goes on. "
            f"To have it made again: perron deploy --from-release {release.number}",
            build=release.build,
            release=release.number,
        )


def url_of(uow: UnitOfWork, environment: Environment) -> str:
    """Return where visitors find the environment."""
    settings = settings_of(uow)
    return url_at(catalog.host_of(uow, environment, settings.apps_domain), settings.http_port)


def url_at(host: str, port: int) -> str:
    """Return the address of a host on this platform."""
    return f"http://{host}/" if port == 80 else f"http://{host}:{port}/"


def scale_of(uow: UnitOfWork, environment: Environment) -> dict[str, int]:
    """Return how many instances of each process type are wished for."""
    return store.scale(uow, environment.id)


def diff(
    uow: UnitOfWork, environment: Environment, before: int, after: int, *, rollback: bool = False
) -> tuple[Changes, Difference, list[object] | None]:
    """Return what differs between two releases, in what runs and in what it is told.

    As a ``rollback`` to ``after``: what would be told then, with the secrets of today.
    """
    first = get_release(uow, environment, before)
    second = get_release(uow, environment, after)
    commits = commits_between(store.history(uow, environment.id), before, after)
    if rollback:
        back = config.preview_back(uow, environment, second.id)
        told = config.difference(config.snapshot_of(uow, first.id), back)
    else:
        told = _told(uow, first, second)
    return compare(first, second), told, commits


def _told(uow: UnitOfWork, first: Release, second: Release) -> Difference:
    try:
        return config.compare(uow, first.id, second.id)
    except NotFound:  # pruned: which keys there were is still known
        before, after = {*first.config_keys}, {*second.config_keys}
        return Difference(sorted(after - before), sorted(before - after), [])
