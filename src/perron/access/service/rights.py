"""Who may do what, and in which teams."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from perron.access import store
from perron.access.model.actors import Actor, PermissionRefused, Stranger
from perron.access.model.roles import OF_APP_TOKENS, lower, may
from perron.access.model.teams import Team, TeamNeeded, TeamNotFound
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.kit.problems import Forbidden
from perron.kit.spine import Place
from perron.kit.whereabouts import settings_of

REFUSED_EVERY = timedelta(minutes=1)
EVERYONE = "everyone"


@dataclass(frozen=True)
class Reach:
    """What somebody may see in a list: of these teams, and of one app when it is only that."""

    teams: list[str]
    app: str | None = None


def authorize(
    uow: UnitOfWork,
    actor: Actor,
    *,
    team: str,
    permission: str,
    subject: str = "",
    app: str | None = None,
) -> None:
    """Return if the actor's role in the team allows it; raise Stranger or Forbidden otherwise.

    ``app`` is the id of the app it is about: a token of one app reaches nothing else.
    """
    role = _role(uow, actor, team, app)
    if may(role, permission) or is_administrator(uow, actor):
        return
    refuse(uow, permission, role, subject=subject or team)
    if role is None:
        raise Stranger("Only members of its team may do that.", permission=permission)
    if actor.app:
        raise Forbidden(
            f"This token has the role {role} in its app: that does not allow {permission}.",
            permission=permission,
        )
    raise Forbidden(
        f"Team {team_name(uow, team)} knows you as {role}: that does not allow "
        f"{permission}; an owner of the team can change that.",
        permission=permission,
    )


def authorize_platform(uow: UnitOfWork, actor: Actor, permission: str) -> None:
    """Return if the actor may do this to the platform, or to what is their own."""
    if actor.app and permission not in OF_APP_TOKENS:
        refuse(uow, permission, None, subject="platform")
        raise Forbidden(
            "This token is for one app alone; take a token of your own, or perron login.",
            permission=permission,
        )
    if may(None, permission) or is_administrator(uow, actor) or _is_open(uow, permission):
        return
    refuse(uow, permission, None, subject="platform")
    raise Forbidden(
        f"Only an administrator of the platform has {permission}.", permission=permission
    )


def refuse(uow: UnitOfWork, permission: str, role: str | None, *, subject: str) -> None:
    """Write down that something was refused, whatever becomes of the request."""
    refused = PermissionRefused(permission, role)
    uow.afterwards.append(partial(_note_refusal, refused=refused, subject=subject))


def is_administrator(uow: UnitOfWork, actor: Actor) -> bool:
    """Say whether the actor may do everything."""
    if actor.app:
        return False
    person = store.people.find(uow, actor.id)
    return person is not None and person.administrator


def roles_of(uow: UnitOfWork, actor: Actor) -> list[tuple[Team, str]]:
    """Return the teams the actor is in, with their role in each."""
    return store.teams.roles_of(uow, actor.id)


def role_in(uow: UnitOfWork, actor: Actor, team: str, *, app: str | None = None) -> str | None:
    """Return the highest role the actor has there; administrators are owners everywhere."""
    return "owner" if is_administrator(uow, actor) else _role(uow, actor, team, app)


def teams_with(uow: UnitOfWork, actor: Actor, permission: str) -> list[str]:
    """Return the ids of the teams in which the actor has the permission, for whole teams."""
    if actor.app:
        return []
    if is_administrator(uow, actor):
        return [team.id for team in store.teams.everyone(uow)]
    return [team.id for team, role in store.teams.roles_of(uow, actor.id) if may(role, permission)]


def reach_of(uow: UnitOfWork, actor: Actor, permission: str) -> Reach:
    """Return what a list may show the actor; a token of one app sees that app alone."""
    if actor.app is None:
        return Reach(teams_with(uow, actor, permission))
    person = Actor(actor.id)
    every = [team.id for team in store.teams.everyone(uow)]
    whole = every if is_administrator(uow, person) else teams_with(uow, person, permission)
    return Reach(whole if may(actor.role, permission) else [], actor.app)


def team_name(uow: UnitOfWork, team: str) -> str:
    """Return what people call the team."""
    found = store.teams.find(uow, team)
    return found.name if found else team


def team_names(uow: UnitOfWork, teams: Iterable[str]) -> dict[str, str]:
    """Return what people call these teams, by id."""
    return store.teams.names_of(uow, teams)


def team_with(uow: UnitOfWork, actor: Actor, name_or_id: str, permission: str) -> Team:
    """Return the team if the actor may do this to it; to strangers there is none."""
    team = store.teams.find(uow, name_or_id)
    if team is None:
        raise _no_team(name_or_id)
    try:
        authorize(uow, actor, team=team.id, permission=permission)
    except Stranger as stranger:
        raise _no_team(name_or_id) from stranger
    return team


def team_for(uow: UnitOfWork, actor: Actor, permission: str, name_or_id: str | None) -> str:
    """Return the id of the team to do this for: the one named, or the only one there is."""
    if name_or_id is not None:
        return team_with(uow, actor, name_or_id, permission).id
    own = [team.id for team, role in _own(uow, actor) if may(role, permission)]
    possible = own or teams_with(uow, actor, permission)
    if not possible:
        return _refuse_everywhere(uow, actor, permission)
    if len(possible) > 1:
        names = ", ".join(team_name(uow, each) for each in possible)
        raise TeamNeeded(f"Say which team shall own it: {names}.", permission=permission)
    return possible[0]


def _role(uow: UnitOfWork, actor: Actor, team: str, app: str | None) -> str | None:
    if actor.app is None:
        return store.teams.role_of(uow, actor.id, team)
    if actor.app != app or actor.role is None:
        return None
    person = Actor(actor.id)
    own = "owner" if is_administrator(uow, person) else store.teams.role_of(uow, actor.id, team)
    return lower(actor.role, own)


def _own(uow: UnitOfWork, actor: Actor) -> list[tuple[Team, str]]:
    return [] if actor.app else store.teams.roles_of(uow, actor.id)


def _refuse_everywhere(uow: UnitOfWork, actor: Actor, permission: str) -> str:
    for team, _role in _own(uow, actor):
        authorize(uow, actor, team=team.id, permission=permission)
    refuse(uow, permission, None, subject="platform")
    why = "This token is for one app alone" if actor.app else "You are in no team"
    raise Forbidden(
        f"{why}, and {permission} needs one: ask an administrator to add you.",
        permission=permission,
    )


def _is_open(uow: UnitOfWork, permission: str) -> bool:
    """Say whether the platform lets everyone do what administrators do elsewhere."""
    return permission == "team.create" and settings_of(uow).teams_by == EVERYONE


def _no_team(name: str) -> TeamNotFound:
    return TeamNotFound(
        f"There is no team {name!r} among yours; list them with: perron teams.", team=name
    )


def _note_refusal(uow: UnitOfWork, refused: PermissionRefused, subject: str) -> None:
    place = Place(team=subject if subject.startswith("team_") else None)
    spine.record_once(uow, refused, subject=subject, of=place, every=REFUSED_EVERY)
