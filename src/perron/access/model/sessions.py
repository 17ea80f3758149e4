"""What lets a person in: sessions, one-time links, and command lines that wait to be let in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from perron.kit.problems import Conflict, NotFound

SESSION_LASTS = timedelta(days=30)
SESSION_IDLE = timedelta(days=7)
LINK_LASTS = timedelta(minutes=10)
RESET_LASTS = timedelta(hours=24)
LOGIN_LASTS = timedelta(minutes=10)
LOGIN_TOKEN_LASTS = timedelta(days=90)
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: a code spells nothing


@dataclass(frozen=True)
class Session:
    """A browser somebody is signed in with; ``token`` made it, and ends it when it is revoked."""

    id: str
    person: str
    created: datetime
    last_used: datetime
    expires: datetime
    address: str | None = None
    agent: str | None = None
    token: str | None = None
    ended: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Say whether it opens the door at that moment."""
        return self.ended is None and at < self.expires and at - self.last_used < SESSION_IDLE


@dataclass(frozen=True)
class Link:
    """A page that is good once for one person; ``kind`` is login or reset."""

    digest: str
    kind: str
    person: str
    made_by: str
    created: datetime
    expires: datetime
    token: str | None = None
    used: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Say whether it opens the door at that moment."""
        return self.used is None and at < self.expires


@dataclass(frozen=True)
class Login:
    """A command line that asks to be let in; ``person`` approved it."""

    code: str
    digest: str
    name: str
    created: datetime
    expires: datetime
    address: str | None = None
    agent: str | None = None
    person: str | None = None
    used: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Say whether it still waits for somebody, or for its token."""
        return self.used is None and at < self.expires


@dataclass(frozen=True)
class SessionOpened:
    """Somebody signed in with a browser; ``how`` is password, link, token, invitation or reset."""

    type: ClassVar[str] = "perron.session.opened.v1"
    how: str


@dataclass(frozen=True)
class SessionEnded:
    """A browser is signed in no more; ``why`` says who wanted it."""

    type: ClassVar[str] = "perron.session.ended.v1"
    person: str
    why: str


@dataclass(frozen=True)
class SignInRefused:
    """Somebody could not sign in; told at most once a minute. ``limited``: they tried too often."""

    type: ClassVar[str] = "perron.sign_in.refused.v1"
    limited: bool


@dataclass(frozen=True)
class LinkMade:
    """Somebody made a page that signs them in, once."""

    type: ClassVar[str] = "perron.login_link.made.v1"
    expires: str


@dataclass(frozen=True)
class LoginApproved:
    """Somebody let a command line in."""

    type: ClassVar[str] = "perron.login.approved.v1"


@dataclass(frozen=True)
class LoginDenied:
    """Somebody refused a command line that asked to be let in."""

    type: ClassVar[str] = "perron.login.denied.v1"


class SessionNotFound(NotFound):
    """You have no session with that id."""


class LinkNotFound(NotFound):
    """The link was used, is too old, or never was."""


class LoginNotFound(NotFound):
    """Nothing asks to be let in with that code."""


class LoginTaken(Conflict):
    """Somebody has approved it already."""
