"""``/v1/teams``: teams and their members. What a team's end needs to know of apps is above."""

from fastapi import APIRouter

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.teams import Member, Team
from perron.access.service import rights, teams
from perron.contract.teams import (
    MEMBER,
    MEMBERS,
    TEAM,
    TEAMS,
    MemberChange,
    MemberView,
    TeamRequest,
    TeamView,
)
from perron.kit.db import UnitOfWork
from perron.kit.web import Work

from . import shapes
from .doors import By

router = APIRouter()


@router.get(TEAMS)
def list_teams(work: Work, by: By) -> list[TeamView]:
    """List your teams, oldest first; administrators see all."""
    rights.authorize_platform(work, by, "me.read")
    seen = teams.seen_teams(work, by)
    sizes = store.teams.sizes(work, [team.id for team, _role in seen])
    return [_view(team, role, sizes.get(team.id, 0)) for team, role in seen]


@router.post(TEAMS, status_code=201)
def create_team(wanted: TeamRequest, work: Work, by: By) -> TeamView:
    """Found a team, of which you are the owner."""
    rights.authorize_platform(work, by, "team.create")
    id = teams.add_team(work, wanted.name)
    teams.join(work, by, team=id, role=teams.OWNER)
    return _shown(work, by, teams.get_team(work, id))


@router.get(TEAM)
def show_team(team: str, work: Work, by: By) -> TeamView:
    """Show one team."""
    return _shown(work, by, rights.team_with(work, by, team, "team.read"))


@router.patch(TEAM)
def rename_team(team: str, wanted: TeamRequest, work: Work, by: By) -> TeamView:
    """Call a team something else; nothing but the label changes."""
    found = rights.team_with(work, by, team, "team.change")
    return _shown(work, by, teams.rename_team(work, found, wanted.name))


@router.get(MEMBERS)
def list_members(team: str, work: Work, by: By) -> list[MemberView]:
    """List who is in the team, the longest first."""
    found = rights.team_with(work, by, team, "member.read")
    return _members(work, store.teams.members_of(work, found.id))


@router.patch(MEMBER)
def change_member(team: str, person: str, wanted: MemberChange, work: Work, by: By) -> MemberView:
    """Give somebody another role or employer; the last owner stays owner."""
    found = rights.team_with(work, by, team, "member.change")
    member = teams.find_member(work, found, by, person)
    changed = teams.change_member(work, member, role=wanted.role, employer=wanted.employer)
    return _members(work, [changed])[0]


@router.delete(MEMBER, status_code=204)
def remove_member(team: str, person: str, work: Work, by: By) -> None:
    """Take somebody out of the team, or leave it (``me``); their sessions end at once."""
    found = rights.team_with(work, by, team, "member.read")
    if not teams.is_myself(work, by, person):
        rights.authorize(work, by, team=found.id, permission="member.remove")
    teams.remove_member(work, by, teams.find_member(work, found, by, person))


def _shown(work: UnitOfWork, by: Actor, team: Team) -> TeamView:
    size = store.teams.sizes(work, [team.id]).get(team.id, 0)
    return _view(team, store.teams.role_of(work, by.id, team.id), size)


def _view(team: Team, role: str | None, members: int) -> TeamView:
    row = {"id": team.id, "name": team.name, "created": team.created}
    return TeamView.model_validate(row | {"role": role, "members": members})


def _members(work: UnitOfWork, found: list[Member]) -> list[MemberView]:
    ids = [each.person for each in found]
    briefs, seen = shapes.briefs_of(work, ids), store.people.last_seen(work, ids)
    return [
        MemberView.model_validate(
            {
                "person": briefs[each.person],
                "role": each.role,
                "employer": each.employer,
                "joined": each.joined,
                "last_seen": seen.get(each.person),
            }
        )
        for each in found
    ]
