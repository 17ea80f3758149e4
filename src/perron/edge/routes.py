"""The HTTP door of the edge: domains, maintenance, protection and limits."""

from fastapi import APIRouter, Request, Response

from perron import catalog
from perron.access import By
from perron.catalog import Environment
from perron.contract.edge import (
    APPLIED,
    DOMAIN,
    DOMAINS,
    MAINTENANCE,
    PROTECTION,
    ROUTING,
    DomainRequest,
    DomainView,
    MaintenanceRequest,
    ProtectionRequest,
    RoutingRequest,
    RoutingView,
)
from perron.contract.pages import Page
from perron.kit.db import UnitOfWork
from perron.kit.settings import Settings
from perron.kit.web import Work, check_match, show_tag, tag_of, tell_after
from perron.kit.whereabouts import settings_of

from . import service
from .model import Domain, Entrance
from .ports import Seen

router = APIRouter(tags=["edge"])


@router.get(DOMAINS)
def list_domains(app: str, environment: str, work: Work, by: By) -> Page[DomainView]:
    """Show every host that leads here: the one from its name, then those added."""
    place = catalog.enter(work, by, app, environment, "domain.read")
    own = service.generated_host(work, place)
    added = [_view(work, each) for each in service.domains_of(work, place)]
    return Page(items=[_generated(work, own), *added])


@router.post(DOMAINS, status_code=201)
def add_domain(
    app: str, environment: str, wanted: DomainRequest, work: Work, by: By, request: Request
) -> DomainView:
    """Let a host lead here; adding it again changes its certificate."""
    place = _enter_to_change(request, work, by, app, environment, "domain.change")
    added = service.add_domain(
        work,
        place,
        wanted.host,
        certificate=wanted.certificate,
        private_key=wanted.private_key,
    )
    return _view(work, added)


@router.delete(DOMAIN, status_code=204)
def remove_domain(
    app: str, environment: str, host: str, work: Work, by: By, request: Request
) -> None:
    """Let a host lead here no more."""
    place = _enter_to_change(request, work, by, app, environment, "domain.change")
    service.remove_domain(work, place, host)


@router.get(ROUTING)
def show_routing(app: str, environment: str, work: Work, by: By, response: Response) -> RoutingView:
    """Show how visitors are let in; never the password."""
    place = catalog.enter(work, by, app, environment, "domain.read")
    return _tagged(response, place, service.entrance_of(work, place))


@router.patch(ROUTING)
def change_limits(
    app: str,
    environment: str,
    wanted: RoutingRequest,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> RoutingView:
    """Change the largest body, the longest silence, or whether query strings are logged."""
    place = _enter_to_change(request, work, by, app, environment, "routing.change")
    _check(request, work, place)
    return _tagged(response, place, service.limit(work, place, **wanted.model_dump()))


@router.put(MAINTENANCE)
def set_maintenance(
    app: str,
    environment: str,
    wanted: MaintenanceRequest,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> RoutingView:
    """Show visitors the maintenance page, or let them in again."""
    place = _enter_to_change(request, work, by, app, environment, "routing.change")
    _check(request, work, place)
    return _tagged(response, place, service.set_maintenance(work, place, on=wanted.on))


@router.put(PROTECTION)
def protect(
    app: str,
    environment: str,
    wanted: ProtectionRequest,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> RoutingView:
    """Ask visitors for a name and a password; without them, let everybody in."""
    place = _enter_to_change(request, work, by, app, environment, "routing.change")
    _check(request, work, place)
    return _tagged(
        response, place, service.protect(work, place, user=wanted.user, password=wanted.password)
    )


def _enter_to_change(
    request: Request, work: UnitOfWork, by: By, app: str, environment: str, permission: str
) -> Environment:
    """Enter an environment; the answer says whether the edge does by then what is asked."""
    place = catalog.enter(work, by, app, environment, permission)
    seen: Seen | None = getattr(request.app.state, "seen_at_edge", None)
    if seen is not None:
        tell_after(request, work, APPLIED, lambda: seen(request.app.state.database, place.id))
    return place


def _check(request: Request, uow: UnitOfWork, place: Environment) -> None:
    entrance = service.entrance_of(uow, place)
    check_match(request, _version(place, entrance), lambda: _routing(entrance))


def _tagged(response: Response, place: Environment, entrance: Entrance) -> RoutingView:
    show_tag(response, _version(place, entrance))
    return _routing(entrance)


def _version(place: Environment, entrance: Entrance) -> str:
    return tag_of(place.id, entrance)


def _generated(uow: UnitOfWork, host: str) -> DomainView:
    return DomainView(
        host=host,
        url=_url(settings_of(uow), host, is_secure=False),
        certificate="internal",
        expires=None,
        added=None,
        generated=True,
    )


def _view(uow: UnitOfWork, domain: Domain) -> DomainView:
    is_given = domain.pem is not None
    return DomainView(
        host=domain.host,
        url=_url(settings_of(uow), domain.host, is_secure=is_given),
        certificate="given" if is_given else "internal",
        expires=domain.expires,
        added=domain.added,
        generated=False,
    )


def _routing(entrance: Entrance) -> RoutingView:
    return RoutingView(
        maintenance=entrance.maintenance,
        user=entrance.user,
        max_body=entrance.max_body,
        idle_timeout=entrance.idle_timeout,
        log_queries=entrance.log_queries,
    )


def _url(settings: Settings, host: str, *, is_secure: bool) -> str:
    scheme, port, usual = (
        ("https", settings.https_port, 443) if is_secure else ("http", settings.http_port, 80)
    )
    return f"{scheme}://{host}/" if port == usual else f"{scheme}://{host}:{port}/"
