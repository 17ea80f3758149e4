"""Making apps and environments, and naming them."""

from fastapi import APIRouter, Request, Response

from perron import access
from perron.access import By
from perron.catalog.model import App, Environment, check_name
from perron.catalog.service import apps as service
from perron.contract.apps import (
    APP,
    APPS,
    ENVIRONMENTS,
    AppRequest,
    AppView,
    EnvironmentBrief,
    EnvironmentRequest,
    RenameRequest,
)
from perron.kit.db import UnitOfWork
from perron.kit.web import Work, check_match, show_tag

router = APIRouter()


@router.post(APPS, status_code=201, responses={200: {"description": "Your team has it already."}})
def create_app(wanted: AppRequest, work: Work, by: By, response: Response) -> AppView:
    """Make an app, with ``production``; harmless when your team has one of that name."""
    check_name(wanted.name, of="app")
    if known := service.known_app(work, by, wanted.name):
        response.status_code = 200
        return _shown(work, known)
    team = access.team_for(work, by, "app.create", wanted.team)
    return _shown(work, service.add_app(work, wanted.name, team=team))


@router.patch(APP)
def rename_app(
    app: str, wanted: RenameRequest, work: Work, by: By, request: Request, response: Response
) -> AppView:
    """Call an app something else; nothing is restarted, only its host name changes."""
    found = service.authorize(work, by, app, "app.rename")
    check_match(request, found.version, lambda: _shown(work, found))
    renamed = service.rename_app(work, found, wanted.name)
    show_tag(response, renamed.version)
    return _shown(work, renamed)


@router.post(ENVIRONMENTS, status_code=201)
def create_environment(
    app: str, wanted: EnvironmentRequest, work: Work, by: By
) -> EnvironmentBrief:
    """Give an app another place to run, with a configuration and a host of its own."""
    found = service.authorize(work, by, app, "environment.create")
    return _brief(service.add_environment(work, found, wanted.name))


def _shown(uow: UnitOfWork, app: App) -> AppView:
    return AppView(
        id=app.id,
        name=app.name,
        team=access.team_name(uow, app.team),
        created=app.created,
        environments=[_brief(each) for each in service.environments_of(uow, app)],
    )


def _brief(environment: Environment) -> EnvironmentBrief:
    """Show what this room knows: names; what runs there is told by GET."""
    return EnvironmentBrief(
        id=environment.id,
        name=environment.name,
        state="unknown",
        url="",
        hosts=[],
        release=None,
        deploying=None,
        instances=0,
        healthy=None,
    )
