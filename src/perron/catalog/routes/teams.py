"""What a team is asked that only the catalog knows: whether it may end, what is offered to it."""

from fastapi import APIRouter

from perron import access
from perron.access import By
from perron.catalog.service import moving
from perron.contract.teams import TEAM, TEAM_TRANSFERS, TransferView
from perron.kit.web import Work

from . import shapes

router = APIRouter()


@router.delete(TEAM, status_code=204)
def remove_team(team: str, work: Work, by: By) -> None:
    """Delete a team that has no apps; everybody leaves it."""
    moving.remove_team(work, by, access.team_with(work, by, team, "team.destroy"))


@router.get(TEAM_TRANSFERS)
def list_transfers(team: str, work: Work, by: By) -> list[TransferView]:
    """List the apps on their way to the team or from it, the longest first."""
    found = access.team_with(work, by, team, "team.read")
    return shapes.transfers(work, moving.transfers_of(work, found))
