"""The HTTP door of views: apps and environments at a glance."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from perron import catalog
from perron.access import By
from perron.contract.activity import ACTIVITY, ActivityView
from perron.contract.apps import APP, APPS, ENVIRONMENT, ENVIRONMENTS, AppView, EnvironmentBrief
from perron.contract.overview import OVERVIEW, OverviewView, TotalsView
from perron.contract.pages import Limit, Page
from perron.kit.web import Work, cursor_of, page_after, show_tag

from . import service

router = APIRouter(tags=["apps"])


@router.get(APPS)
def list_apps(work: Work, by: By, after: str | None = None, limit: Limit = 100) -> Page[AppView]:
    """Show the apps you may see, by name, with how each environment is."""
    (name,) = page_after(after, "")
    found = service.apps(work, by, after=name, limit=limit + 1)
    more = cursor_of(found[limit - 1].name) if len(found) > limit else None
    return Page(items=found[:limit], next=more)


@router.get(OVERVIEW)
def show_overview(
    work: Work,
    by: By,
    environment: Annotated[str, Query(max_length=100)] = catalog.PRODUCTION,
    match: Annotated[str, Query(max_length=100)] = "",
    after: str | None = None,
    limit: Limit = 100,
) -> OverviewView:
    """Show the apps you may see in one environment, what needs somebody first.

    ``match`` is a part of the app's name. The totals are those of all apps.
    """
    found = service.overview(
        work,
        by,
        environment=environment,
        match=match,
        after=page_after(after, *service.START),
        limit=limit,
    )
    return OverviewView(
        items=found.shown,
        next=cursor_of(*found.next) if found.next else None,
        matched=found.matched,
        totals=TotalsView(**vars(found.totals)),
        environments=found.environments,
    )


@router.get(APP)
def show_app(app: str, work: Work, by: By, response: Response) -> AppView:
    """Show one app with its environments; the ``ETag`` names what PATCH can change."""
    found = catalog.authorize(work, by, app, "app.read")
    show_tag(response, found.version)
    return service.views(work, [found], traffic=True)[0]


@router.get(ENVIRONMENTS)
def list_environments(app: str, work: Work, by: By) -> Page[EnvironmentBrief]:
    """Show the environments of an app, oldest first."""
    found = catalog.authorize(work, by, app, "app.read")
    return Page(items=service.views(work, [found])[0].environments)


@router.get(ENVIRONMENT)
def show_environment(app: str, environment: str, work: Work, by: By) -> EnvironmentBrief:
    """Show one environment at a glance."""
    place = catalog.enter(work, by, app, environment, "app.read")
    found = catalog.get_app(work, place.app)
    return service.brief(found, place, service.gather(work, [found], [place], traffic=True))


@router.get(ACTIVITY)
def show_activity(
    app: str,
    work: Work,
    by: By,
    environment: str | None = None,
    after: str | None = None,
    limit: Limit = 50,
) -> Page[ActivityView]:
    """Show what happened to an app, newest first; in one environment, or in all."""
    found = catalog.authorize(work, by, app, "app.read")
    place = catalog.get_environment(work, found, environment) if environment else None
    (before,) = page_after(after, 0)
    past = service.activity(work, found, place, before=before or None, limit=limit + 1)
    more = cursor_of(past[limit - 1][0]) if len(past) > limit else None
    return Page(items=[shown for _, shown in past[:limit]], next=more)
