"""Who is asking."""

from dataclasses import dataclass
from typing import ClassVar

from perron.kit.problems import Forbidden, NotSignedIn


@dataclass(frozen=True)
class Actor:
    """A person or a machine that makes a request, by id; names stay in this room.

    ``token`` or ``session`` is what let them in. A token of one ``app`` reaches nothing else, and
    there no more than its ``role`` may.
    """

    id: str
    kind: str = "person"
    token: str | None = None
    session: str | None = None
    app: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class PermissionRefused:
    """Somebody asked for what they may not do; told at most once a minute."""

    type: ClassVar[str] = "perron.permission.refused.v1"
    permission: str
    role: str | None


class Stranger(Forbidden):
    """The actor has no role in the team at all: a higher room may deny that the thing exists."""


class CookieAlone(Forbidden):
    """A browser's cookie came without proof that a page of ours sent it."""


class LoginRefused(NotSignedIn):
    """Handle and password do not belong together, or the link is good no more."""
