"""Invitations: made and revoked by owners, looked at and accepted by who holds the link."""

from fastapi import APIRouter, Request, Response

from perron.access.model.actors import Actor
from perron.access.model.people import Person, check_password
from perron.access.model.teams import Invitation
from perron.access.service import invitations, passwords, people, rights, sessions
from perron.contract.teams import (
    INVITATION,
    INVITATION_ACCEPT,
    INVITATION_PAGE,
    TEAM_INVITATION,
    TEAM_INVITATIONS,
    AcceptRequest,
    InvitationMadeView,
    InvitationRequest,
    InvitationView,
    JoinedView,
    OfferView,
)
from perron.kit import clock, web
from perron.kit.db import UnitOfWork
from perron.kit.problems import Unprocessable
from perron.kit.web import Work

from . import doors, shapes
from .doors import By

router = APIRouter()


class AccountIncomplete(Unprocessable):
    """An account needs a handle, a name and a password."""


@router.get(TEAM_INVITATIONS)
def list_invitations(team: str, work: Work, by: By) -> list[InvitationView]:
    """List whom the team invited, newest first; the links are not known any more."""
    found = rights.team_with(work, by, team, "invitation.read")
    return _views(work, invitations.invitations_of(work, found))


@router.post(TEAM_INVITATIONS, status_code=201)
def invite(
    team: str, wanted: InvitationRequest, work: Work, by: By, response: Response
) -> InvitationMadeView:
    """Make a link that lets whoever holds it into the team, once, within a week."""
    found = rights.team_with(work, by, team, "invitation.create")
    made, code = invitations.invite(
        work, by, found, role=wanted.role, employer=wanted.employer, note=wanted.note
    )
    web.never_keep(response)
    shown = _views(work, [made])[0].model_dump()
    return InvitationMadeView(**shown, path=INVITATION_PAGE.format(code=code))


@router.delete(TEAM_INVITATION, status_code=204)
def revoke_invitation(team: str, invitation: str, work: Work, by: By) -> None:
    """Let an invitation let nobody in any more; twice is harmless."""
    found = rights.team_with(work, by, team, "invitation.revoke")
    invitations.revoke_invitation(work, found, invitation)


@router.get(INVITATION)
def show_offer(code: str, work: Work) -> OfferView:
    """Say what an invitation offers, and who made it."""
    found = invitations.offered(work, code)
    return OfferView(
        team=rights.team_name(work, found.team),
        role=found.role,  # type: ignore[arg-type]  # the table of roles is where both come from
        employer=found.employer,
        by=people.name_of(work, found.by),
        expires=found.expires,
    )


@router.post(INVITATION_ACCEPT, status_code=201, dependencies=doors.SIGNED)
def accept(code: str, wanted: AcceptRequest, request: Request, response: Response) -> JoinedView:
    """Come into the team: as who you are when signed in, else with an account made for you."""
    web.never_keep(response)
    if doors.token_of(request):
        with doors.writing(request) as work:
            by = doors.identify(request, work)
            rights.authorize_platform(work, by, "me.change")
            return _accepted(work, by, invitations.accept(work, by, code))
    return _with_account(code, wanted, request)


def _with_account(code: str, wanted: AcceptRequest, request: Request) -> JoinedView:
    if wanted.handle is None or wanted.name is None or wanted.password is None:
        raise AccountIncomplete("Send handle, name and password, or sign in first.")
    with doors.reading(request) as work:
        invitations.offered(work, code)
    new = Person("", wanted.name, administrator=False, created=clock.now(), handle=wanted.handle)
    check_password(wanted.password, new)
    hashed = passwords.hashed(wanted.password)
    with doors.writing(request) as work:
        invitations.offered(work, code)
        by = people.add_person(work, wanted.name, handle=wanted.handle, password=hashed)
        found = invitations.accept(work, by, code)
        made = sessions.open_session(work, by.id, how="invitation")
        shown = _accepted(work, by, found)
        return shown.model_copy(update={"session": shapes.opened(work, made)})


def _accepted(work: UnitOfWork, by: Actor, found: Invitation) -> JoinedView:
    return JoinedView(
        team=rights.team_name(work, found.team),
        role=found.role,  # type: ignore[arg-type]  # the table of roles is where both come from
        person=shapes.briefs_of(work, [by.id])[by.id],
    )


def _views(work: UnitOfWork, found: list[Invitation]) -> list[InvitationView]:
    briefs = shapes.briefs_of(work, {each for one in found for each in (one.by, one.used_by or "")})
    now = clock.now()
    return [
        InvitationView.model_validate(
            {
                "id": each.id,
                "role": each.role,
                "employer": each.employer,
                "note": each.note,
                "by": briefs[each.by],
                "created": each.created,
                "expires": each.expires,
                "state": each.state(now),
                "used_by": briefs[each.used_by] if each.used_by else None,
            }
        )
        for each in found
    ]
