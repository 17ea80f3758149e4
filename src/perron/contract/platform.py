"""The shapes of the platform itself: who you are, what it is, how it is."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ME = "/v1/me"
PLATFORM = "/v1/platform"
HEALTH = "/v1/health"
PROMISES = "/v1/platform/promises"
ACCEPTED = "/v1/platform/accepted/{risk}"


class MeView(BaseModel):
    """Who the token belongs to."""

    id: str
    name: str
    administrator: bool
    teams: dict[str, str]


class PlatformView(BaseModel):
    """What this platform is."""

    version: str
    api: str
    apps_domain: str
    http_port: int | None
    https_port: int | None
    started: datetime
    node: str | None
    node_seen: datetime | None


class PromiseView(BaseModel):
    """One thing apps can rely on here, or not: enforced, watched, open or unknown."""

    code: str
    name: str
    standing: Literal["enforced", "watched", "open", "unknown"]
    advice: str


class AcceptedView(BaseModel):
    """A risk an administrator took for everybody: by whom and when."""

    risk: str
    by: str
    at: datetime


class PromisesView(BaseModel):
    """What keeps apps apart on this machine; ``tier`` sums it up, None while nobody has told.

    ``several_teams`` says whether more than one team may deploy here, and ``reason`` why not.
    """

    tier: str | None
    promises: list[PromiseView]
    accepted: list[AcceptedView]
    several_teams: bool | None
    reason: str


class HealthView(BaseModel):
    """Whether the server answers; needs no token."""

    status: str
    version: str


TOKENS = "/v1/tokens"
TOKEN = TOKENS + "/{token}"


class TokenRequest(BaseModel):
    """A new token for yourself; ``expires_in`` is in days, None means never."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=100)] = ""
    expires_in: Annotated[int, Field(ge=1, le=3650)] | None = None


class TokenView(BaseModel):
    """A token by its id; its text was shown once, when it was made."""

    id: str
    name: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None
    current: bool = False


class TokenMadeView(TokenView):
    """A token with its text, which is never shown again."""

    token: str
