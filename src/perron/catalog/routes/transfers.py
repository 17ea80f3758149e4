"""Moving an app to another team: an owner asks, an owner of the other team accepts."""

from fastapi import APIRouter, Response

from perron.access import By
from perron.catalog.model import AppNotFound, Transfer
from perron.catalog.service import apps, moving
from perron.contract.teams import TRANSFER, TRANSFER_ACCEPT, TransferRequest, TransferView
from perron.kit import clock
from perron.kit.web import Work

from . import shapes

router = APIRouter()


@router.get(TRANSFER)
def show_transfer(app: str, work: Work, by: By) -> TransferView:
    """Show where the app is going."""
    found = apps.authorize(work, by, app, "app.read")
    return shapes.transfers(work, [(moving.transfer_of(work, found), found)])[0]


@router.post(
    TRANSFER, status_code=202, responses={200: {"description": "You own both: it is done."}}
)
def ask_transfer(
    app: str, wanted: TransferRequest, work: Work, by: By, response: Response
) -> TransferView:
    """Ask another team to take the app, with all it has; done at once when you own both.

    Whether there is a team of that name is told to nobody who is not in it.
    """
    found = apps.authorize(work, by, app, "app.transfer")
    asked = moving.ask_transfer(work, by, found, wanted.team)
    if asked:
        return shapes.transfers(work, [(asked, found)])[0]
    response.status_code = 200
    done = Transfer(found.id, None, wanted.team, by.id, clock.now())
    return shapes.transfers(work, [(done, found)], state="accepted")[0]


@router.post(TRANSFER_ACCEPT)
def accept_transfer(app: str, work: Work, by: By) -> TransferView:
    """Take an app that was offered to a team you own; from now on it is that team's."""
    found, transfer, team = moving.offered(work, by, app, "app.receive")
    moving.take(work, transfer, team)
    return shapes.transfers(work, [(transfer, found)], state="accepted")[0]


@router.delete(TRANSFER, status_code=204)
def withdraw_transfer(app: str, work: Work, by: By) -> None:
    """Let the app stay where it is; owners of either team may say so."""
    try:
        found = apps.authorize(work, by, app, "app.transfer")
        transfer = moving.transfer_of(work, found)
    except AppNotFound:
        found, transfer, _team = moving.offered(work, by, app, "app.receive")
    moving.withdraw(work, found, transfer)
