"""Tokens: keys to the API for scripts and other machines."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from perron.kit.problems import Forbidden, NotFound


@dataclass(frozen=True)
class Token:
    """A key to the API, known by its id; only the digest of its text is kept.

    One of an ``app`` has the ``team`` that owned the app when it was made or last moved.
    """

    id: str
    person: str
    name: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None
    app: str | None = None
    team: str | None = None
    role: str | None = None

    def is_good(self, at: datetime) -> bool:
        """Say whether it opens the door at that moment."""
        return self.revoked is None and (self.expires is None or at < self.expires)


@dataclass(frozen=True)
class TokenMade:
    """Somebody has another key to the API; one of an app has a role there."""

    type: ClassVar[str] = "perron.token.made.v1"
    expires: str | None
    role: str | None = None


@dataclass(frozen=True)
class TokenRevoked:
    """A key to the API opens nothing any more."""

    type: ClassVar[str] = "perron.token.revoked.v1"
    person: str


class TokenNotFound(NotFound):
    """You have no token with that id."""


class RoleTooHigh(Forbidden):
    """A token may do no more than the person who makes it."""
