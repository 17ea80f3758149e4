"""What releases does when something happens elsewhere: it puts wishes together anew."""

from perron import catalog, runtime
from perron.catalog import Environment
from perron.kit.db import UnitOfWork
from perron.kit.problems import NotFound
from perron.kit.spine import Event, Reactions

from .service import wishes


def refresh_environment(uow: UnitOfWork, event: Event) -> None:
    """Have what visitors of one environment reach follow from what is so now."""
    try:
        _refresh(uow, catalog.environment_with(uow, event.environment or event.subject))
    except NotFound:
        return  # it is gone by now


def refresh_app(uow: UnitOfWork, event: Event) -> None:
    """Have every environment of an app follow its new name, or its new team."""
    try:
        app = catalog.get_app(uow, event.app or event.subject)
    except NotFound:
        return
    for environment in catalog.environments_of(uow, app):
        _refresh(uow, environment)


def _refresh(uow: UnitOfWork, environment: Environment) -> None:
    if not runtime.is_ending(uow, environment.id):
        wishes.refresh(uow, environment)


REACTIONS: Reactions = {
    "perron.environment.added.v1": refresh_environment,
    "perron.app.renamed.v1": refresh_app,
    "perron.app.transferred.v1": refresh_app,
    "perron.domain.added.v1": refresh_environment,
    "perron.domain.removed.v1": refresh_environment,
    "perron.maintenance.changed.v1": refresh_environment,
    "perron.protection.changed.v1": refresh_environment,
    "perron.routing.changed.v1": refresh_environment,
    "perron.volume.created.v1": refresh_environment,
    "perron.volume.destroyed.v1": refresh_environment,
}
