"""What can be seen at a glance, asked for once however many apps there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perron import access, catalog, edge, releases, runtime
from perron.access import Actor
from perron.catalog import App, Environment
from perron.contract.activity import ActivityView
from perron.contract.apps import AppView, EnvironmentBrief
from perron.contract.node import EnvironmentReport
from perron.contract.releases import ReleaseBrief
from perron.kit import history
from perron.kit.db import UnitOfWork
from perron.kit.settings import Settings
from perron.kit.spine import Event
from perron.kit.whereabouts import home_of, settings_of
from perron.releases import Summary, url_at

from . import store
from .model import (
    TOLD,
    Glance,
    Totals,
    behind,
    by_use,
    in_order,
    needs_of,
    state_of,
    tell,
    totals,
)

START = (-1, "")
QUIET = [0] * 60


@dataclass(frozen=True)
class Known:
    """Everything a page of apps is made of."""

    settings: Settings
    summaries: Mapping[str, Summary]
    reports: Mapping[str, EnvironmentReport] | None
    hosts: Mapping[str, list[str]]
    people: Mapping[str, str]
    teams: Mapping[str, str]
    traffic: Mapping[str, list[int]] | None = None


def apps(uow: UnitOfWork, actor: Actor, *, after: str, limit: int) -> list[AppView]:
    """Show the apps somebody may see, by name."""
    return views(uow, catalog.list_apps(uow, actor, after=after, limit=limit))


@dataclass(frozen=True)
class Overview:
    """A page of apps in the order of urgency; ``next`` is the place the next one begins after."""

    shown: list[AppView]
    matched: int
    totals: Totals
    environments: list[str]
    next: tuple[int, str] | None


def overview(
    uow: UnitOfWork,
    actor: Actor,
    *,
    environment: str,
    match: str,
    after: tuple[int, str],
    limit: int,
) -> Overview:
    """Show the apps somebody may see that have this environment, what needs them first."""
    reach = access.reach_of(uow, actor, "app.read")
    teams, only = set(reach.teams), reach.app
    mine = [
        each
        for each in store.standings(uow)
        if each.team in teams and (only is None or each.app == only)
    ]
    these = [each for each in mine if each.environment == environment]
    matched = in_order(these, match=match)
    found = behind(matched, after)
    page = found[:limit]
    apps = catalog.apps_with(uow, [each.app for each in page])
    return Overview(
        shown=views(uow, [apps[each.app] for each in page if each.app in apps], traffic=True),
        matched=len(matched),
        totals=totals(these),
        environments=by_use(each.environment for each in mine),
        next=page[-1].place if len(found) > limit else None,
    )


def views(uow: UnitOfWork, found: Sequence[App], *, traffic: bool = False) -> list[AppView]:
    """Show these apps with their environments; with the requests of the last hour if asked."""
    places = catalog.environments_of_all(uow, found)
    all_places = [place for each in places.values() for place in each]
    known = gather(uow, found, all_places, traffic=traffic)
    return [
        AppView(
            id=app.id,
            name=app.name,
            team=known.teams.get(app.team, app.team),
            created=app.created,
            environments=[brief(app, place, known) for place in places[app.id]],
        )
        for app in found
    ]


def gather(
    uow: UnitOfWork, apps: Sequence[App], places: Sequence[Environment], *, traffic: bool = False
) -> Known:
    """Ask once for everything that briefs of these environments are made of."""
    summaries = releases.summaries(uow, [place.id for place in places])
    people = {each.live.by for each in summaries.values() if each.live}
    seen = runtime.traffic_of(home_of(uow)) if traffic else None
    return Known(
        settings=settings_of(uow),
        summaries=summaries,
        reports=runtime.observed_all(uow),
        hosts=edge.domains_of_all(uow, [place.id for place in places]),
        people=access.names_of(uow, people),
        teams=access.team_names(uow, {app.team for app in apps}),
        traffic=seen.minutes if seen else None,
    )


def brief(app: App, place: Environment, known: Known) -> EnvironmentBrief:
    """Show one environment at a glance."""
    summary = known.summaries[place.id]
    report = known.reports.get(place.id) if known.reports is not None else None
    glance = Glance.of(summary, report, is_known=known.reports is not None)
    host = catalog.host_name(app.name, place.name, known.settings.apps_domain)
    return EnvironmentBrief(
        id=place.id,
        name=place.name,
        state="destroying" if place.is_destroying or app.is_destroying else state_of(glance),
        url=url_at(host, known.settings.http_port),
        hosts=[host, *known.hosts.get(place.id, [])],
        release=_release(summary, known),
        deploying=summary.coming,
        instances=glance.wished,
        healthy=glance.healthy,
        needs=needs_of(glance, report),
        traffic=None if known.traffic is None else known.traffic.get(place.id, QUIET),
    )


def _release(summary: Summary, known: Known) -> ReleaseBrief | None:
    if summary.live is None:
        return None
    return ReleaseBrief(
        number=summary.live.number,
        state=summary.live.state,
        asked=summary.live.asked_at,
        live=summary.live.live_at,
        by=summary.live.by,
        by_name=known.people.get(summary.live.by, summary.live.by),
    )


def activity(
    uow: UnitOfWork, app: App, place: Environment | None, *, before: int | None, limit: int
) -> list[tuple[int, ActivityView]]:
    """Show what happened to an app, newest first, each with its position in the spine."""
    where = place.id if place else None
    past = history.past(uow, TOLD, app=app.id, environment=where, before=before, limit=limit)
    people = access.names_of(uow, {event.actor for event in past if event.actor_kind != "platform"})
    names = {each.id: each.name for each in catalog.environments_of(uow, app)}
    return [(event.position, _happened(event, people, names)) for event in past]


def _happened(
    event: Event, people: Mapping[str, str], environments: Mapping[str, str]
) -> ActivityView:
    number = event.data.get("number", event.data.get("release"))
    return ActivityView(
        id=event.id,
        type=event.type,
        time=event.time,
        by=event.actor,
        by_name=people.get(event.actor, "" if event.actor_kind == "platform" else event.actor),
        environment=environments.get(event.environment or ""),
        release=number if isinstance(number, int) else None,
        operation=event.correlation,
        text=tell(event.type, event.data),
    )
