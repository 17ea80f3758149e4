"""The HTTP door of what is live: scale, restart, stop, start, and its instances."""

from fastapi import APIRouter, Request, Response

from perron import catalog, runtime
from perron.access import By
from perron.catalog import Environment
from perron.contract.pages import Page
from perron.contract.releases import (
    INSTANCES,
    RESTART,
    SCALE,
    START,
    STOP,
    Accepted,
    InstanceView,
    ScaleRequest,
    ScaleView,
)
from perron.kit.problems import Unavailable
from perron.kit.web import Work, check_match, show_tag, tag_of
from perron.releases.service import reading, standing

from . import shapes

router = APIRouter(tags=["releases"])


@router.get(SCALE)
def show_scale(app: str, environment: str, work: Work, by: By, response: Response) -> ScaleView:
    """Show how many instances of each process type are wished for."""
    place = catalog.enter(work, by, app, environment, "release.read")
    counts = reading.scale_of(work, place)
    show_tag(response, _version(place, counts))
    return ScaleView(processes=counts)


@router.put(SCALE, status_code=202)
def scale(
    app: str,
    environment: str,
    body: ScaleRequest,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> ScaleView:
    """Change how many instances run, now and in every later release."""
    place = catalog.enter(work, by, app, environment, "scale.change")
    before = reading.scale_of(work, place)
    check_match(request, _version(place, before), lambda: ScaleView(processes=before))
    operation = standing.scale(work, place, body.processes)
    counts = reading.scale_of(work, place)
    show_tag(response, _version(place, counts))
    return ScaleView(processes=counts, operation=shapes.operation_id(operation))


@router.post(RESTART, status_code=202)
def restart(app: str, environment: str, work: Work, by: By) -> Accepted:
    """Replace the instances by new ones without losing a visitor."""
    place = catalog.enter(work, by, app, environment, "instance.restart")
    return Accepted(operation=standing.restart(work, place).id)


@router.post(STOP, status_code=202)
def stop(app: str, environment: str, work: Work, by: By) -> Accepted:
    """Stop every instance; visitors are told so."""
    place = catalog.enter(work, by, app, environment, "scale.change")
    return Accepted(operation=shapes.operation_id(standing.stop(work, place)))


@router.post(START, status_code=202)
def start(app: str, environment: str, work: Work, by: By) -> Accepted:
    """Start what was stopped; a configuration changed meanwhile becomes a release."""
    place = catalog.enter(work, by, app, environment, "scale.change")
    operation, release = standing.start(work, place)
    number = release.number if release else None
    return Accepted(operation=shapes.operation_id(operation), release=number)


@router.get(INSTANCES)
def list_instances(app: str, environment: str, work: Work, by: By) -> Page[InstanceView]:
    """Show what runs, as the machine sees it."""
    place = catalog.enter(work, by, app, environment, "instance.read")
    wish = runtime.find_wish(work, place.id)
    if runtime.observed_all(work) is None:
        raise Unavailable(
            "Nothing was heard from the machine for 15 s, so what runs is not known; "
            "instances keep running. If this stays so: perron status."
        )
    report = runtime.observed(work, place.id)
    return Page(items=shapes.instances(report, wish) if report else [])


def _version(place: Environment, counts: dict[str, int]) -> str:
    return tag_of(place.id, sorted(counts.items()))
