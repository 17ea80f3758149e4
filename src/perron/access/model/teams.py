"""Teams: who answers for apps together, and how people come and go."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from perron.kit.problems import Conflict, NotFound

INVITATION_LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Team:
    """People who answer for apps together."""

    id: str
    name: str
    created: datetime


@dataclass(frozen=True)
class Member:
    """Somebody in a team, in a role, for an employer as far as it was said."""

    person: str
    team: str
    role: str
    employer: str | None
    joined: datetime


@dataclass(frozen=True)
class Invitation:
    """A link that lets whoever holds it into a team, once; only its digest is kept."""

    id: str
    team: str
    role: str
    employer: str | None
    note: str | None
    by: str
    created: datetime
    expires: datetime
    used: datetime | None = None
    used_by: str | None = None
    revoked: datetime | None = None

    def state(self, at: datetime) -> str:
        """Say how it stands: open, used, revoked or expired."""
        if self.used:
            return "used"
        if self.revoked:
            return "revoked"
        return "open" if at < self.expires else "expired"


@dataclass(frozen=True)
class TeamAdded:
    """A team was founded."""

    type: ClassVar[str] = "perron.team.added.v1"
    name: str


@dataclass(frozen=True)
class TeamRenamed:
    """People call a team something else now."""

    type: ClassVar[str] = "perron.team.renamed.v1"
    before: str
    name: str


@dataclass(frozen=True)
class TeamRemoved:
    """A team is no more; it had no apps."""

    type: ClassVar[str] = "perron.team.removed.v1"
    name: str


@dataclass(frozen=True)
class MemberJoined:
    """Somebody is in a team now, in a role, for an employer."""

    type: ClassVar[str] = "perron.member.joined.v1"
    person: str
    role: str
    employer: str | None


@dataclass(frozen=True)
class MemberChanged:
    """Somebody has another role in a team, or works for somebody else."""

    type: ClassVar[str] = "perron.member.changed.v1"
    person: str
    role_before: str
    role: str
    employer_before: str | None
    employer: str | None


@dataclass(frozen=True)
class MemberLeft:
    """Somebody is in a team no more."""

    type: ClassVar[str] = "perron.member.left.v1"
    person: str
    role: str | None = None
    employer: str | None = None


@dataclass(frozen=True)
class InvitationMade:
    """A link was made that lets somebody into a team."""

    type: ClassVar[str] = "perron.invitation.made.v1"
    role: str
    employer: str | None
    expires: str


@dataclass(frozen=True)
class InvitationUsed:
    """Somebody came in by an invitation."""

    type: ClassVar[str] = "perron.invitation.used.v1"
    person: str


@dataclass(frozen=True)
class InvitationRevoked:
    """An invitation lets nobody in any more."""

    type: ClassVar[str] = "perron.invitation.revoked.v1"


class TeamNotFound(NotFound):
    """No team you are in has that name or id."""


class TeamNeeded(Conflict):
    """Several teams could own it, and none was named."""


class TeamTaken(Conflict):
    """Another team has that name."""


class MemberNotFound(NotFound):
    """Nobody in the team has that handle or id."""


class LastOwner(Conflict):
    """Without this person nobody could answer for the team."""


class InvitationNotFound(NotFound):
    """The team has no such invitation."""


class InvitationGone(NotFound):
    """The invitation was used or revoked, is too old, or never was."""


class InvitationTaken(Conflict):
    """Somebody was quicker: the invitation was used just now."""


class MemberAlready(Conflict):
    """You are in the team already."""
