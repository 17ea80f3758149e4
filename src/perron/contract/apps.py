"""The shapes of /v1/apps and their environments."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from .releases import ReleaseBrief

APPS = "/v1/apps"
APP = APPS + "/{app}"
ENVIRONMENTS = APP + "/environments"
ENVIRONMENT = ENVIRONMENTS + "/{environment}"


class Strict(BaseModel):
    """A request body: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class AppRequest(Strict):
    """A new app; ``team`` is needed only by those who could make it for several."""

    name: str
    team: str | None = None


class RenameRequest(Strict):
    """Another name for an app."""

    name: str


class EnvironmentRequest(Strict):
    """A new environment of an app."""

    name: str


class EnvironmentBrief(BaseModel):
    """One environment at a glance. ``state`` is healthy, deploying, degraded, failed, stopped,
    empty or unknown; ``healthy`` is None when nothing was observed. ``traffic`` are the requests
    of each minute of the last hour, the present one last; None is unknown, and lists leave it out.
    """

    id: str
    name: str
    state: str
    url: str
    hosts: list[str]
    release: ReleaseBrief | None
    deploying: int | None
    instances: int
    healthy: int | None
    needs: str = ""
    traffic: list[int] | None = None


class AppView(BaseModel):
    """One app with its environments."""

    id: str
    name: str
    team: str
    created: datetime
    environments: list[EnvironmentBrief]
