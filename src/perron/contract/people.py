"""The shapes of people: who you are, how you sign in, and who else is here.

A *secret* is shown once, in the answer that makes it. A *path* that ends in a code opens a page of
the dashboard; the code is good once.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from .apps import Strict

ME = "/v1/me"
SESSIONS = "/v1/sessions"
SESSION = SESSIONS + "/{session}"
LOGIN_LINKS = "/v1/login-links"
LOGINS = "/v1/logins"
LOGIN = LOGINS + "/{code}"
LOGIN_APPROVE = LOGIN + "/approve"
LOGIN_TOKEN = LOGIN + "/token"
PEOPLE = "/v1/people"
PERSON = PEOPLE + "/{person}"
PERSON_RESET = PERSON + "/reset"
RESET = "/v1/resets/{code}"

LOGIN_PAGE = "/login/{code}"
APPROVAL_PAGE = "/cli/{code}"
RESET_PAGE = "/reset/{code}"

HANDLE = r"[a-z][a-z0-9-]{0,27}"
Handle = Annotated[str, Field(pattern=f"^{HANDLE}$")]
FullName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]
Password = Annotated[str, Field(min_length=10, max_length=200)]
Given = Annotated[str, Field(max_length=200)]  # a password or code as somebody typed it


class PersonBrief(BaseModel):
    """A person as others see them; of one who was erased only the id is left."""

    id: str
    handle: str | None
    name: str | None


class MeView(BaseModel):
    """Who is asking. ``teams`` are roles by the name of the team; ``app`` is the id of the only
    app this token reaches, ``session`` the id of the session, when it is one.
    """

    id: str
    handle: str
    name: str
    email: str | None
    administrator: bool
    has_password: bool
    teams: dict[str, str]
    app: str | None = None
    session: str | None = None


class MeChange(Strict):
    """What you change about yourself; what is left out stays.

    A new password needs the present one (unless there is none yet), and ends your other sessions.
    """

    name: FullName | None = None
    email: Email | Literal[""] | None = None
    password: Password | None = None
    old_password: Given | None = None


class SessionRequest(Strict):
    """How you sign in: handle and password, the code of a one-time link, or a personal token.

    ``device`` is what an earlier answer gave this browser: its tries are counted by themselves.
    """

    person: Given | None = None
    password: Given | None = None
    link: Given | None = None
    token: Given | None = None
    device: Given | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> "SessionRequest":
        pair = (self.person is not None) + (self.password is not None)
        if pair == 1 or (pair == 2) + (self.link is not None) + (self.token is not None) != 1:
            raise ValueError("send person and password, or link, or token")
        return self


class SessionView(BaseModel):
    """A browser you are signed in with; ``from`` is the address it was opened from."""

    id: str
    created: datetime
    last_used: datetime
    expires: datetime
    from_: Annotated[str | None, Field(alias="from", serialization_alias="from")] = None
    agent: str | None = None
    current: bool = False

    model_config = {"populate_by_name": True}


class SessionMadeView(BaseModel):
    """A session that was opened; send its secret as a Bearer token or keep it in the cookie.

    Keep ``device`` longer than the session (a year, say), and send it when signing in again.
    """

    id: str
    secret: str
    expires: datetime
    person: PersonBrief
    device: str


class LoginLinkView(BaseModel):
    """A page that signs you in, once."""

    path: str
    expires: datetime


class LoginRequest(Strict):
    """A command line asks to be let in; ``name`` is what its machine is called."""

    name: Annotated[str, Field(max_length=100)] = ""


class LoginMadeView(BaseModel):
    """What the command line shows (``code``) and keeps (``secret``); ask every ``interval`` s."""

    code: str
    secret: str
    path: str
    expires: datetime
    interval: float


class LoginView(BaseModel):
    """What asks to be let in with your rights; the code must be the one it shows."""

    code: str
    name: str
    created: datetime
    expires: datetime
    from_: Annotated[str | None, Field(alias="from", serialization_alias="from")] = None
    agent: str | None = None
    state: Literal["waiting", "approved"]

    model_config = {"populate_by_name": True}


class LoginSecret(Strict):
    """What only the command line that asked knows."""

    secret: Given


class LoginTokenView(BaseModel):
    """``waiting`` until somebody approves; then the token, which is never shown again."""

    state: Literal["waiting", "approved"]
    token: str | None = None
    token_id: str | None = None
    expires: datetime | None = None


class PersonView(BaseModel):
    """A person as administrators see them; ``teams`` are roles by the name of the team."""

    id: str
    handle: str
    name: str
    email: str | None
    administrator: bool
    has_password: bool
    created: datetime
    last_seen: datetime | None
    teams: dict[str, str]


class PersonChange(Strict):
    """Make somebody an administrator, or no more; the last one stays."""

    administrator: bool


class ResetMadeView(BaseModel):
    """A page where somebody sets a new password, once; give it to them and nobody else."""

    path: str
    expires: datetime


class ResetView(BaseModel):
    """Whose password a reset page sets."""

    person: PersonBrief
    expires: datetime


class ResetRequest(Strict):
    """The new password."""

    password: Password
