"""The HTTP door of what makes a release or ends everything: configuration, and destroying."""

from fastapi import APIRouter, Request, Response

from perron import catalog, config
from perron.access import By
from perron.config import Value
from perron.contract.apps import APP, ENVIRONMENT
from perron.contract.config import CONFIG, ConfigChange, ConfigChanged
from perron.contract.releases import Accepted
from perron.kit.web import Work, check_match, show_tag
from perron.releases.service import asking, ending

router = APIRouter(tags=["releases"])


@router.patch(CONFIG)
def change_config(
    app: str,
    environment: str,
    body: ConfigChange,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> ConfigChanged:
    """Set and unset keys together; what is live is released again with them."""
    place = catalog.enter(work, by, app, environment, "config.change")
    check_match(request, config.digest(work, place), lambda: config.view(work, place))
    release = asking.change_config(
        work,
        place,
        set={name: Value(a.value, a.secret, a.build) for name, a in body.set.items()},
        unset=body.unset,
    )
    shown = config.view(work, place)
    show_tag(response, shown.digest)
    return ConfigChanged(
        config=shown,
        operation=release.operation if release else None,
        release=release.number if release else None,
    )


@router.delete(APP, status_code=202)
def destroy_app(app: str, work: Work, by: By) -> Accepted:
    """Destroy an app: processes, files, routes and secrets; its events stay."""
    found = catalog.authorize(work, by, app, "app.destroy")
    return Accepted(operation=ending.destroy_app(work, found).id)


@router.delete(ENVIRONMENT, status_code=202)
def destroy_environment(app: str, environment: str, work: Work, by: By) -> Accepted:
    """Destroy an environment: processes, files, routes and secrets; its events stay."""
    place = catalog.enter(work, by, app, environment, "environment.destroy")
    return Accepted(operation=ending.destroy_environment(work, place).id)
