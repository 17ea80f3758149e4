"""The shapes of the platform itself: what it is, and how it is."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from .health import HEALTH as HEALTH

PLATFORM = "/v1/platform"
PROMISES = "/v1/platform/promises"
ACCEPTED = "/v1/platform/accepted/{risk}"


class PlatformView(BaseModel):
    """What this platform is; ``url`` is where its pages are.

    ``backup_made``: when the newest backup in its home was made; None where there is none.
    ``speaks`` is the version of what server and agent say to each other; ``agent`` is None while
    it has not told about itself; ``agent_refuses`` says why the two do not understand each other.
    """

    version: str
    api: str
    url: str
    apps_domain: str
    http_port: int | None
    https_port: int | None
    started: datetime
    node: str | None
    node_seen: datetime | None
    backup_made: datetime | None = None
    speaks: int = 0
    agent: "AgentView | None" = None
    agent_refuses: str = ""


class AgentView(BaseModel):
    """The agent of this machine: its Perron, the version it speaks, since when it runs.

    ``not_understood`` names what it was asked for that its version does not know.
    """

    version: str
    speaks: int
    started: datetime
    not_understood: list[str]


class PromiseView(BaseModel):
    """One thing apps can rely on here, or not: enforced, watched, open or unknown."""

    code: str
    name: str
    standing: Literal["enforced", "watched", "open", "unknown"]
    advice: str


class RiskView(BaseModel):
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
    accepted: list[RiskView]
    several_teams: bool | None
    reason: str


class HealthView(BaseModel):
    """Whether the server answers; needs no token."""

    status: str
    version: str
