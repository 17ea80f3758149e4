"""The HTTP side of what keeps apps apart: the table of promises, and risks that were accepted."""

from fastapi import APIRouter

from perron import access
from perron.access import By
from perron.contract.node import NodeView
from perron.contract.platform import (
    ACCEPTED,
    PROMISES,
    PromisesView,
    PromiseView,
    RiskView,
)
from perron.kit.db import UnitOfWork
from perron.kit.web import Work
from perron.kit.whereabouts import home_of

from . import service
from .model import why_one_team

router = APIRouter(tags=["runtime"])


@router.get(PROMISES)
def show_promises(work: Work, by: By) -> PromisesView:
    """Say what apps can rely on here: enforced, watched, open or unknown."""
    access.authorize_platform(work, by, "platform.read")
    return _shown(work)


@router.put(ACCEPTED)
def accept_risk(risk: str, work: Work, by: By) -> PromisesView:
    """Let several teams deploy although this is open between their apps."""
    access.authorize_platform(work, by, "platform.change")
    service.accept_risk(work, risk)
    return _shown(work)


@router.delete(ACCEPTED)
def refuse_risk(risk: str, work: Work, by: By) -> PromisesView:
    """Take back that a risk was accepted."""
    access.authorize_platform(work, by, "platform.change")
    service.refuse_risk(work, risk)
    return _shown(work)


def _shown(work: UnitOfWork) -> PromisesView:
    node = service.node_of(home_of(work))
    accepted = service.acceptances(work)
    reason = why_one_team(node.promises, [each.risk for each in accepted]) if node else ""
    return PromisesView(
        tier=node.tier if node else None,
        promises=_promises(node),
        accepted=[RiskView(risk=each.risk, by=each.by, at=each.at) for each in accepted],
        several_teams=not reason if node else None,
        reason=reason,
    )


def _promises(node: NodeView | None) -> list[PromiseView]:
    return [PromiseView(**each.model_dump()) for each in (node.promises if node else [])]
