"""What can be done with invitations: links that let whoever holds them into a team, once."""

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.teams import (
    INVITATION_LASTS,
    Invitation,
    InvitationGone,
    InvitationMade,
    InvitationNotFound,
    InvitationRevoked,
    InvitationTaken,
    InvitationUsed,
    Team,
)
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import codes, teams


def invite(
    uow: UnitOfWork, by: Actor, team: Team, *, role: str, employer: str | None, note: str | None
) -> tuple[Invitation, str]:
    """Return an invitation and the code of its link, which is never seen again."""
    code, now = codes.link(), clock.now()
    made = Invitation(
        id=ids.new("inv"),
        team=team.id,
        role=role,
        employer=employer or None,
        note=note or None,
        by=by.id,
        created=now,
        expires=now + INVITATION_LASTS,
    )
    row = vars(made) | {"digest": codes.digest(code)}
    store.keep(uow, store.teams.invitations, **row)
    told = InvitationMade(role, made.employer, made.expires.isoformat())
    spine.record(uow, told, subject=made.id, of=Place(team.id))
    return made, code


def invitations_of(uow: UnitOfWork, team: Team) -> list[Invitation]:
    """Return whom the team invited, newest first."""
    return store.teams.invitations_of(uow, team.id)


def revoke_invitation(uow: UnitOfWork, team: Team, id: str) -> None:
    """Let an invitation let nobody in any more; twice is harmless."""
    found = next((each for each in invitations_of(uow, team) if each.id == id), None)
    if found is None:
        raise InvitationNotFound(f"Team {team.name} has no invitation {id!r}.", invitation=id)
    if found.state(clock.now()) == "used":
        raise InvitationTaken("The invitation was used; take the member out of the team instead.")
    if found.revoked is None:
        store.teams.set_invitation(uow, id, revoked=clock.now())
        spine.record(uow, InvitationRevoked(), subject=id, of=Place(team.id))


def offered(uow: UnitOfWork, code: str) -> Invitation:
    """Return the open invitation of a link, or raise: taken, or gone."""
    found = store.teams.invitation_with(uow, codes.digest(code))
    state = found.state(clock.now()) if found else "expired"
    if state == "used":
        raise InvitationTaken("The invitation was used already; ask its team for another one.")
    if found is None or state != "open":
        raise InvitationGone(
            "The invitation was revoked, is too old, or never was; ask its team for another one."
        )
    return found


def accept(uow: UnitOfWork, person: Actor, code: str) -> Invitation:
    """Let a person into the team; of two at once one wins."""
    found = offered(uow, code)
    uow.actor, uow.actor_kind = person.id, person.kind
    teams.join(uow, person, team=found.team, role=found.role, employer=found.employer)
    store.teams.set_invitation(uow, found.id, used=clock.now(), used_by=person.id)
    spine.record(uow, InvitationUsed(person.id), subject=found.id, of=Place(found.team))
    return found
