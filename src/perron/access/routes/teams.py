"""``/v1/teams``: teams and their members. What a team's end needs to know of apps is above."""

from fastapi import APIRouter, Request, Response

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
from perron.kit.web import Work, check_match, show_tag, tag_of

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
def show_team(team: str, work: Work, by: By, response: Response) -> TeamView:
    """Show one team."""
    found = rights.team_with(work, by, team, "team.read")
    show_tag(response, _version(found))
    return _shown(work, by, found)


@router.patch(TEAM)
def rename_team(
    team: str, wanted: TeamRequest, work: Work, by: By, request: Request, response: Response
) -> TeamView:
    """Call a team something else; nothing but the label changes."""
    found = rights.team_with(work, by, team, "team.change")
    check_match(request, _version(found), lambda: _shown(work, by, found))
    renamed = teams.rename_team(work, found, wanted.name)
    show_tag(response, _version(renamed))
    return _shown(work, by, renamed)


@router.get(MEMBERS)
def list_members(team: str, work: Work, by: By, response: Response) -> list[MemberView]:
    """List who is in the team, the longest first."""
    found = rights.team_with(work, by, team, "member.read")
    members = store.teams.members_of(work, found.id)
    show_tag(response, _edition(members))
    return _members(work, members)


@router.patch(MEMBER)
def change_member(
    team: str,
    person: str,
    wanted: MemberChange,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> MemberView:
    """Give somebody another role or employer; the last owner stays owner."""
    found = rights.team_with(work, by, team, "member.change")
    member = teams.find_member(work, found, by, person)
    before = store.teams.members_of(work, found.id)
    check_match(request, _edition(before), lambda: _members(work, before))
    changed = teams.change_member(work, member, role=wanted.role, employer=wanted.employer)
    show_tag(response, _edition(store.teams.members_of(work, found.id)))
    return _members(work, [changed])[0]


@router.delete(MEMBER, status_code=204)
def remove_member(team: str, person: str, work: Work, by: By) -> None:
    """Take somebody out of the team, or leave it (``me``); their sessions end at once."""
    found = rights.team_with(work, by, team, "member.read")
    if not teams.is_myself(work, by, person):
        rights.authorize(work, by, team=found.id, permission="member.remove")
    teams.remove_member(work, by, teams.find_member(work, found, by, person))


def _version(team: Team) -> str:
    return tag_of(team.id, team.name)


def _edition(members: list[Member]) -> str:
    """Name exactly these people in these roles: who changes one has seen the others."""
    return tag_of(*((each.person, each.role, each.employer) for each in members))


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
