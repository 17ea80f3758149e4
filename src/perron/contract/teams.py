"""The shapes of teams: members, invitations, and apps that change hands."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from .apps import APP, Strict
from .people import FullName, Handle, Password, PersonBrief, SessionMadeView

TEAMS = "/v1/teams"
TEAM = TEAMS + "/{team}"
MEMBERS = TEAM + "/members"
MEMBER = MEMBERS + "/{person}"
TEAM_INVITATIONS = TEAM + "/invitations"
TEAM_INVITATION = TEAM_INVITATIONS + "/{invitation}"
INVITATION = "/v1/invitations/{code}"
INVITATION_ACCEPT = INVITATION + "/accept"
TEAM_TRANSFERS = TEAM + "/transfers"
TRANSFER = APP + "/transfer"
TRANSFER_ACCEPT = TRANSFER + "/accept"

INVITATION_PAGE = "/invite/{code}"

Role = Literal["viewer", "developer", "owner"]
TeamName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,27}$")]
Words = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class TeamRequest(Strict):
    """A new team, or another name for one."""

    name: TeamName


class TeamView(BaseModel):
    """A team; ``role`` is yours in it, None when you see it as an administrator."""

    id: str
    name: str
    created: datetime
    role: Role | None
    members: int


class MemberView(BaseModel):
    """Somebody in a team; ``employer`` is who they work for, as far as it was said."""

    person: PersonBrief
    role: Role
    employer: str | None
    joined: datetime
    last_seen: datetime | None


class MemberChange(Strict):
    """Another role or employer; what is left out stays, an empty employer is none."""

    role: Role | None = None
    employer: Words | None = None


class InvitationRequest(Strict):
    """Whom a link shall let in; ``note`` helps you tell one invitation from another."""

    role: Role
    employer: Words | None = None
    note: Words | None = None


class InvitationView(BaseModel):
    """An invitation as its team sees it; the link itself is not known any more."""

    id: str
    role: Role
    employer: str | None
    note: str | None
    by: PersonBrief
    created: datetime
    expires: datetime
    state: Literal["open", "used", "revoked", "expired"]
    used_by: PersonBrief | None = None


class InvitationMadeView(InvitationView):
    """An invitation with the page that accepts it, which is never shown again."""

    path: str


class OfferView(BaseModel):
    """What an invitation offers to whoever holds its link."""

    team: str
    role: Role
    employer: str | None
    by: str
    expires: datetime


class AcceptRequest(Strict):
    """Nothing when you are signed in; else the account that shall be made for you."""

    handle: Handle | None = None
    name: FullName | None = None
    password: Password | None = None


class JoinedView(BaseModel):
    """The team you are in now; ``session`` is yours when an account was made."""

    team: str
    role: Role
    person: PersonBrief
    session: SessionMadeView | None = None


class TransferRequest(Strict):
    """The team that shall own the app, by name or id."""

    team: str


class TransferView(BaseModel):
    """An app on its way to another team: ``waiting`` until an owner there accepts."""

    app: str
    app_id: str
    before: str
    team: str
    by: PersonBrief
    asked: datetime
    state: Literal["waiting", "accepted"]
