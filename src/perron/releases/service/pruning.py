"""Cleaning up by policy: never what going back to one of the last ten live releases needs."""

from collections.abc import Sequence
from datetime import timedelta

from perron import builds, catalog, config, operations
from perron.catalog import App, Environment
from perron.kit import clock, once
from perron.kit.db import Database, UnitOfWork, unit_of_work
from perron.releases import store
from perron.releases.model.release import Release, needed

KEEP = 10
UPLOAD_GRACE = timedelta(hours=24)
JOURNAL_KEPT = timedelta(days=30)


def prune(uow: UnitOfWork, app: App) -> list[str]:
    """Forget builds, sources and configurations no rollback needs; return whose files may go."""
    places = catalog.environments_of(uow, app)
    histories = {place.id: store.history(uow, place.id) for place in places}
    kept = [each for history in histories.values() for each in needed(history, keep=KEEP)]
    dropped = [r for history in histories.values() for r in history if r not in kept]
    _prune_snapshots(uow, dropped)
    before = clock.now() - UPLOAD_GRACE
    builds.prune_sources(uow, app.id, keep={each.source for each in kept}, before=before)
    return _prune_builds(uow, app, kept, dropped)


def prune_journal(database: Database) -> int:
    """Forget what was done long ago; how a release went stays with the release."""
    with unit_of_work(database) as uow:
        once.prune(uow)
    before = clock.now() - JOURNAL_KEPT
    return operations.prune(database, before=before, keep=store.operations_of)


def apps(uow: UnitOfWork) -> list[App]:
    """Return every app that has an environment."""
    found: dict[str, Environment] = {each.app: each for each in catalog.all_environments(uow)}
    return [catalog.get_app(uow, app) for app in found]


def _prune_builds(
    uow: UnitOfWork, app: App, kept: Sequence[Release], dropped: Sequence[Release]
) -> list[str]:
    used = {each.build for each in kept}
    gone = {each.build for each in dropped if each.build and each.build not in used}
    known = sorted(build for build in gone if builds.find_build(uow, app.id, build))
    for build in known:
        builds.forget_build(uow, app.id, build)
    return known


def _prune_snapshots(uow: UnitOfWork, dropped: Sequence[Release]) -> None:
    config.drop_snapshots(uow, [each.id for each in dropped])
