"""The shapes of the platform itself: who you are, what it is, how it is."""

from datetime import datetime

from pydantic import BaseModel

ME = "/v1/me"
PLATFORM = "/v1/platform"
HEALTH = "/v1/health"


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


class HealthView(BaseModel):
    """Whether the server answers; needs no token."""

    status: str
    version: str
