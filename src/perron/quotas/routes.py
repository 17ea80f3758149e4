"""The HTTP door of quotas."""

from fastapi import APIRouter, Request, Response

from perron import access
from perron.access import Actor, By
from perron.contract.quotas import QUOTAS, QuotasChange, QuotasView, QuotaView
from perron.kit.db import UnitOfWork
from perron.kit.web import Work, check_match, show_tag, tag_of

from . import service
from .model import Quota

router = APIRouter(tags=["quotas"])


@router.get(QUOTAS)
def show_quotas(team: str, work: Work, by: By, response: Response) -> QuotasView:
    """Show what a team may have, and how much of it is used."""
    found = _team(work, by, team)
    quotas = service.quotas_of(work, found)
    show_tag(response, _tag(quotas))
    return _view(work, found, quotas)


@router.patch(QUOTAS)
def change_quotas(
    team: str, wanted: QuotasChange, work: Work, by: By, request: Request, response: Response
) -> QuotasView:
    """Give a team other bounds; what it has already, it keeps."""
    access.authorize_platform(work, by, "quota.change")
    found = _team(work, by, team)
    before = service.quotas_of(work, found)
    check_match(request, _tag(before), lambda: _view(work, found, before))
    service.change(work, found, wanted.model_dump(include=wanted.model_fields_set))
    quotas = service.quotas_of(work, found)
    show_tag(response, _tag(quotas))
    return _view(work, found, quotas)


def _team(uow: UnitOfWork, by: Actor, team: str) -> str:
    """Return the id of a team the actor may look at; to strangers there is none."""
    return access.team_with(uow, by, team, "quota.read").id


def _tag(quotas: list[Quota]) -> str:
    return tag_of(*((each.kind.name, each.limit) for each in quotas))


def _view(uow: UnitOfWork, team: str, quotas: list[Quota]) -> QuotasView:
    return QuotasView(
        team=team,
        name=access.team_name(uow, team),
        quotas=[
            QuotaView(
                name=each.kind.name,
                limit=each.limit,
                default=each.kind.default,
                used=each.used,
                unit=each.kind.unit,
                is_default=each.is_default,
            )
            for each in quotas
        ],
    )
