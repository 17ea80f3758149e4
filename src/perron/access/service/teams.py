"""What can be done with teams and who is in them."""

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.teams import (
    LastOwner,
    Member,
    MemberAlready,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberNotFound,
    Team,
    TeamAdded,
    TeamRemoved,
    TeamRenamed,
    TeamTaken,
)
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import rights, sessions, tokens

OWNER = "owner"
MYSELF = "me"


def add_team(uow: UnitOfWork, name: str) -> str:
    """Found a team and return its id."""
    _check_free(uow, name)
    team = ids.new("team")
    store.keep(uow, store.teams.teams, id=team, name=name, created=clock.now())
    spine.record(uow, TeamAdded(name), subject=team, of=Place(team))
    return team


def find_team(uow: UnitOfWork, name_or_id: str) -> Team | None:
    """Return the team of that name or id, whoever asks."""
    return store.teams.find(uow, name_or_id)


def get_team(uow: UnitOfWork, id: str) -> Team:
    """Return the team with that id, of which we know that it is there."""
    team = store.teams.find(uow, id)
    assert team is not None, id  # noqa: S101 - ids of teams are asked for in their transaction
    return team


def seen_teams(uow: UnitOfWork, actor: Actor) -> list[tuple[Team, str | None]]:
    """Return the teams somebody may see, with their role; administrators see all."""
    if actor.app:
        return []
    own = {team.id: role for team, role in store.teams.roles_of(uow, actor.id)}
    may_see = set(rights.teams_with(uow, actor, "team.read"))
    return [(team, own.get(team.id)) for team in store.teams.everyone(uow) if team.id in may_see]


def rename_team(uow: UnitOfWork, team: Team, name: str) -> Team:
    """Call a team something else; nothing but the label changes."""
    if name == team.name:
        return team
    _check_free(uow, name)
    store.teams.rename(uow, team.id, name)
    spine.record(uow, TeamRenamed(team.name, name), subject=team.id, of=Place(team.id))
    return get_team(uow, team.id)


def remove_team(uow: UnitOfWork, by: Actor, team: Team) -> None:
    """Forget a team that has no apps; everybody leaves it first.

    Who asks stays signed in where they said so, as when they leave by themselves.
    """
    for member in store.teams.members_of(uow, team.id):
        keep = by.session if by.id == member.person else None
        leave(uow, Actor(member.person), team=team.id, keep=keep)
    store.teams.remove(uow, team.id)
    spine.record(uow, TeamRemoved(team.name), subject=team.id, of=Place(team.id))


def join(
    uow: UnitOfWork, person: Actor, *, team: str, role: str, employer: str | None = None
) -> None:
    """Give a person a role in a team."""
    if store.teams.member(uow, person.id, team):
        name = rights.team_name(uow, team)
        raise MemberAlready(f"You are in team {name} already; an owner can change your role.")
    member = Member(person.id, team, role, employer or None, clock.now())
    store.keep(uow, store.teams.members, **vars(member))
    joined = MemberJoined(person.id, role, member.employer)
    spine.record(uow, joined, subject=team, of=Place(team))


def find_member(uow: UnitOfWork, team: Team, by: Actor, handle_or_id: str) -> Member:
    """Return somebody in the team; ``me`` is who asks."""
    person = store.people.find(uow, by.id if handle_or_id == MYSELF else handle_or_id)
    member = store.teams.member(uow, person.id, team.id) if person else None
    if member is None:
        raise MemberNotFound(
            f"Nobody in team {team.name} is called {handle_or_id!r}; list them with: "
            f"perron members --team {team.name}.",
            person=handle_or_id,
        )
    return member


def is_myself(uow: UnitOfWork, by: Actor, handle_or_id: str) -> bool:
    """Say whether that is who asks: ``me``, or their handle or id."""
    person = store.people.find(uow, handle_or_id)
    return handle_or_id == MYSELF or (person is not None and person.id == by.id)


def change_member(
    uow: UnitOfWork, member: Member, *, role: str | None, employer: str | None
) -> Member:
    """Give somebody another role or employer; the last owner stays owner."""
    new_role = role or member.role
    new_employer = member.employer if employer is None else employer or None
    if (new_role, new_employer) == (member.role, member.employer):
        return member
    if new_role != OWNER:
        refuse_last_owner(uow, member.person, get_team(uow, member.team))
    values = {"role": new_role, "employer": new_employer}
    store.teams.change_member(uow, member.person, member.team, **values)
    changed = MemberChanged(member.person, member.role, new_role, member.employer, new_employer)
    spine.record(uow, changed, subject=member.team, of=Place(member.team))
    return Member(member.person, member.team, new_role, new_employer, member.joined)


def leave(uow: UnitOfWork, person: Actor, *, team: str, keep: str | None = None) -> None:
    """End a membership, the person's tokens for apps of the team, and their sessions at once.

    What is left to them, their own tokens, knows of no role in the team from now on.
    """
    member = store.teams.member(uow, person.id, team)
    if member is None:
        return
    store.teams.leave(uow, person.id, team)
    left = MemberLeft(person.id, member.role, member.employer)
    spine.record(uow, left, subject=team, of=Place(team))
    tokens.revoke_for_team(uow, person.id, team=team)
    sessions.end_all(uow, person.id, why="left", keep=keep)


def remove_member(uow: UnitOfWork, by: Actor, member: Member) -> None:
    """Take somebody out of a team, or leave it; the last owner stays.

    Who leaves by their own will stays signed in where they said so, and nowhere else.
    """
    refuse_last_owner(uow, member.person, get_team(uow, member.team))
    keep = by.session if by.id == member.person else None
    leave(uow, Actor(member.person), team=member.team, keep=keep)


def refuse_last_owner(uow: UnitOfWork, person: str, team: Team) -> None:
    """Raise LastOwner when nobody else owns the team."""
    owners = [each.person for each in store.teams.members_of(uow, team.id) if each.role == OWNER]
    if owners == [person]:
        raise LastOwner(
            f"This is the last owner of team {team.name}: make somebody else owner first, "
            "or delete the team.",
            team=team.name,
        )


def _check_free(uow: UnitOfWork, name: str) -> None:
    if store.teams.find(uow, name):
        raise TeamTaken(f"The name {name!r} is taken; choose another one.", name=name)
