"""What schedules do when something happens elsewhere: they follow what is live."""

import logging

from perron import catalog, releases
from perron.builds import Manifest
from perron.kit.db import UnitOfWork
from perron.kit.problems import NotFound, Problem
from perron.kit.spine import Event, Reactions

from .service import keeping

log = logging.getLogger(__name__)


def follow_release(uow: UnitOfWork, event: Event) -> None:
    """Have the schedules that the live release's perron.toml names."""
    try:
        environment = catalog.environment_with(uow, event.environment or "")
    except NotFound:
        return  # it is gone by now
    release = releases.live_release(uow, environment.id)
    if release is None or release.id != event.subject or release.manifest is None:
        return  # a newer one took its place: that is heard of next
    try:
        keeping.follow_file(uow, environment, Manifest.from_json(release.manifest).cron)
    except Problem as no:
        log.warning("Schedules of release %s cannot be followed: %s", release.id, no.detail)


def forget_environment(uow: UnitOfWork, event: Event) -> None:
    """Forget the schedules of an environment of which nothing is left."""
    keeping.forget(uow, event.subject)


REACTIONS: Reactions = {
    "perron.release.live.v1": follow_release,
    "perron.environment.removed.v1": forget_environment,
}
