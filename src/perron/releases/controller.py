"""What goes on beside requests: wishes are put together at the start, old builds are dropped."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Event

from perron import builds, catalog, runtime
from perron.catalog import Environment
from perron.kit import clock
from perron.kit.db import Database, UnitOfWork, reading, unit_of_work
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import NotFound
from perron.kit.settings import Home

from . import store
from .model.release import Release
from .service import pruning, rollout, sessions, wishes

log = logging.getLogger(__name__)

MINUTE = 60.0
FORGOTTEN = timedelta(days=7)


def run(database: Database, home: Home, stop: Event) -> None:
    """Refresh every wish, then look for first visitors until told to stop."""
    _attempt(lambda: sessions.hand_over_waiting(database, home))
    _attempt(lambda: refresh_all(database))
    while not stop.wait(MINUTE):
        _attempt(lambda: sessions.hand_over_waiting(database, home))
        _attempt(lambda: note_first_visitors(database, home))


def prune(database: Database, home: Home) -> None:
    """Drop what nobody needs any more; raises when that could not be done."""
    pruning.prune_journal(database)
    prune_all(database, home)


def refresh_all(database: Database) -> None:
    """Put every wish together anew: names, hosts or settings may be others than before."""
    with reading(database) as uow:
        places = catalog.all_environments(uow)
    for place in places:
        with unit_of_work(database) as uow:  # one at a time: nobody waits long for their turn
            if not runtime.is_ending(uow, place.id):
                wishes.refresh(uow, place)


def note_first_visitors(database: Database, home: Home) -> None:
    """Write down when each live release first served somebody."""
    with reading(database) as uow:
        unserved = store.unserved(uow, clock.now() - FORGOTTEN)
        places = {each.id: _place(uow, each) for each in unserved}
    engine = runtime.engine_of(home)
    try:
        visited = engine.traffic().minutes if unserved else {}
    except (AgentAway, AgentRefused):
        return
    for release in unserved:
        place = places.get(release.id)
        if place is None or release.live_at is None or place.id not in visited:
            continue
        try:
            count = engine.router_count(
                place.id, since=release.live_at, until=clock.now(), release=release.number
            )
        except (AgentAway, AgentRefused):
            return
        if count.first_served:
            with unit_of_work(database) as uow:
                rollout.note_first_served(uow, place, release, count.first_served)


def prune_all(database: Database, home: Home) -> None:
    """Drop what no rollback needs, app by app: first the files, so that none is forgotten."""
    with reading(database) as uow:
        apps = pruning.apps(uow)
    for app in apps:
        with reading(database) as uow:
            unneeded = pruning.unneeded_builds(uow, app)
        for build in unneeded:
            runtime.engine_of(home).drop_build(build)
        with unit_of_work(database) as uow:
            pruning.prune(uow, app, unneeded)
    drop_unknown(database, home)


def drop_unknown(database: Database, home: Home) -> None:
    """Drop builds that no app knows and nothing on the machine runs.

    Such are left when an older state was put back, or what it did not know was let go.
    """
    engine = runtime.engine_of(home)
    unused = engine.unused_builds(pruning.grace())
    with reading(database) as uow:  # after the question: what is made meanwhile is known by now
        known = builds.known_builds(uow)
    for build in unused:
        if build not in known:
            log.info("No app knows the build %s any more; its files go.", build)
            engine.drop_build(build)


def _place(uow: UnitOfWork, release: Release) -> Environment | None:
    try:
        return catalog.environment_with(uow, release.environment)
    except NotFound:
        return None


def _attempt(act: Callable[[], object]) -> None:
    try:
        act()
    except AgentAway:
        log.info("The agent is away; what was to be done is done later.")
    except Exception:
        log.exception("Looking after releases failed and is tried again.")
