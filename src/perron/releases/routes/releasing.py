"""The HTTP door of releases: deploy, list, compare, roll back, cancel."""

from fastapi import APIRouter

from perron import catalog
from perron.access import By
from perron.contract.pages import Limit, Page
from perron.contract.releases import (
    CANCEL,
    DIFF,
    RELEASE,
    RELEASES,
    ROLLBACK,
    Accepted,
    DeployRequest,
    DiffView,
    Number,
    ReleaseView,
    RollbackRequest,
)
from perron.kit.web import Work, cursor_of, page_after
from perron.releases.model.release import RequestRefused
from perron.releases.service import asking, reading

from . import shapes

router = APIRouter(tags=["releases"])


@router.post(RELEASES, status_code=202)
def deploy(app: str, environment: str, body: DeployRequest, work: Work, by: By) -> ReleaseView:
    """Put a source, or what another release is made of, live; the operation tells how it goes."""
    place = catalog.enter(work, by, app, environment, "release.create")
    told = body.provenance.model_dump(mode="json")
    if (body.source is None) == (body.from_release is None):
        raise RequestRefused("Say either source or from_release, and not both.")
    if body.source is not None:
        if body.from_environment is not None:
            raise RequestRefused("from_environment belongs to from_release.")
        release = asking.deploy(
            work,
            place,
            source=body.source,
            root=body.root,
            provenance=told,
            force=body.force,
        )
    else:
        origin = body.from_environment or environment
        other = catalog.enter(work, by, app, origin, "release.read")
        found = reading.get_release(work, other, body.from_release or 0)
        release = asking.deploy_release(work, place, found, provenance=told, force=body.force)
    return shapes.view(work, place, release)


@router.get(RELEASES)
def list_releases(
    app: str,
    environment: str,
    work: Work,
    by: By,
    after: str | None = None,
    limit: Limit = 50,
) -> Page[ReleaseView]:
    """Show releases, newest first."""
    place = catalog.enter(work, by, app, environment, "release.read")
    (before,) = page_after(after, 0)
    found = reading.list_releases(work, place, before=before or None, limit=limit + 1)
    shown = shapes.views(work, place, found[:limit])
    more = cursor_of(found[limit - 1].number) if len(found) > limit else None
    return Page(items=shown, next=more)


@router.get(RELEASE)
def show(app: str, environment: str, number: Number, work: Work, by: By) -> ReleaseView:
    """Show one release."""
    place = catalog.enter(work, by, app, environment, "release.read")
    return shapes.view(work, place, reading.get_release(work, place, number))


@router.get(DIFF)
def diff(
    app: str,
    environment: str,
    number: Number,
    other: Number,
    work: Work,
    by: By,
    rollback: bool = False,
) -> DiffView:
    """Show what differs between two releases, or what going back to ``other`` would change."""
    place = catalog.enter(work, by, app, environment, "release.read")
    return shapes.diff(number, other, reading.diff(work, place, number, other, rollback=rollback))


@router.post(ROLLBACK, status_code=202)
def roll_back(app: str, environment: str, body: RollbackRequest, work: Work, by: By) -> ReleaseView:
    """Put an earlier release's build, processes and plain configuration live again."""
    place = catalog.enter(work, by, app, environment, "release.create")
    return shapes.view(work, place, asking.roll_back(work, place, to=body.to))


@router.post(CANCEL, status_code=202)
def cancel(app: str, environment: str, work: Work, by: By) -> Accepted:
    """Stop what is on its way; what is live stays so."""
    place = catalog.enter(work, by, app, environment, "release.cancel")
    newest = asking.cancel(work, place)[-1]
    return Accepted(operation=newest.operation, release=newest.number)
