"""Cleaning up by policy: never what going back to one of the last ten live releases needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from perron import builds, catalog, config, operations
from perron.catalog import App, Environment
from perron.kit import clock, once
from perron.kit.db import Database, UnitOfWork, unit_of_work
from perron.releases import store
from perron.releases.model.release import ASKED, Release, needed

KEEP = 10
UPLOAD_GRACE = timedelta(hours=24)
JOURNAL_KEPT = timedelta(days=30)


def unneeded_builds(uow: UnitOfWork, app: App) -> list[str]:
    """Return the builds that nothing runs and no rollback needs; none while something is coming.

    What is coming may be about to reuse one of them.
    """
    kept, dropped = _sorted(uow, app)
    if any(each.state == ASKED for each in kept):
        return []
    used = {each.build for each in kept}
    gone = {each.build for each in dropped if each.build and each.build not in used}
    asked_for = used | gone  # by no release: its deploy was cancelled just when it was made
    lone = {*builds.list_builds(uow, app.id, before=grace())} - asked_for
    return sorted(each for each in gone | lone if builds.find_build(uow, app.id, each))


def prune(uow: UnitOfWork, app: App, removed: Sequence[str]) -> None:
    """Forget sources and configurations no rollback needs, and builds whose files are removed."""
    kept, dropped = _sorted(uow, app)
    config.drop_snapshots(uow, [each.id for each in dropped])
    builds.prune_sources(uow, app.id, keep={each.source for each in kept}, before=grace())
    for build in removed:
        builds.forget_build(uow, app.id, build)


def prune_journal(database: Database) -> int:
    """Forget what was done long ago; how a release went stays with the release."""
    with unit_of_work(database) as uow:
        once.prune(uow)
    before = clock.now() - JOURNAL_KEPT
    return operations.prune(database, before=before, keep=store.operations_of)


def grace() -> datetime:
    """Return the moment since which nothing is cleaned up: somebody may be about to use it."""
    return clock.now() - UPLOAD_GRACE


def apps(uow: UnitOfWork) -> list[App]:
    """Return every app that has an environment."""
    found: dict[str, Environment] = {each.app: each for each in catalog.all_environments(uow)}
    return [catalog.get_app(uow, app) for app in found]


def _sorted(uow: UnitOfWork, app: App) -> tuple[list[Release], list[Release]]:
    """Return the app's releases that are needed, and those that are not."""
    histories = [store.history(uow, each.id) for each in catalog.environments_of(uow, app)]
    kept = [each for history in histories for each in needed(history, keep=KEEP)]
    return kept, [each for history in histories for each in history if each not in kept]
