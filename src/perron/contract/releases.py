"""The shapes of sources, releases, scale and instances of an environment."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

APP = "/v1/apps/{app}"
ENVIRONMENT = APP + "/environments/{environment}"
SOURCES = APP + "/sources"
DETECT = APP + "/detect"
RELEASES = ENVIRONMENT + "/releases"
RELEASE = RELEASES + "/{number}"
DIFF = RELEASE + "/diff/{other}"
ROLLBACK = ENVIRONMENT + "/rollback"
CANCEL = ENVIRONMENT + "/cancel"
SCALE = ENVIRONMENT + "/scale"
RESTART = ENVIRONMENT + "/restart"
STOP = ENVIRONMENT + "/stop"
START = ENVIRONMENT + "/start"
INSTANCES = ENVIRONMENT + "/instances"


Number = Annotated[int, Field(ge=1, le=2_147_483_647)]


class Strict(BaseModel):
    """A request body: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class Commit(Strict):
    """One commit since the last live release."""

    sha: str
    author: str = ""
    authored: datetime | None = None
    committed: datetime | None = None
    subject: str = ""
    trailers: dict[str, str] = {}


class Provenance(Strict):
    """Where a source came from; None is unknown. ``declared``: said by the caller, not read."""

    sha: str | None = None
    branch: str | None = None
    remote: str | None = None
    dirty: bool | None = None
    author: str | None = None
    authored: datetime | None = None
    committed: datetime | None = None
    merge_base: str | None = None
    commits: list[Commit] | None = Field(default=None, max_length=1000)
    missing: int | None = None
    declared: bool = False
    origin: str = "api"
    host: str | None = None


class DeployRequest(Strict):
    """Put a source, or the build of another release, live. Exactly one of the two.

    ``from_environment`` names where ``from_release`` is looked up; the same one by default.
    What is live already, with the same configuration, is released again only with ``force``.
    """

    source: str | None = None
    from_release: Number | None = None
    from_environment: str | None = None
    root: str = "."
    provenance: Provenance = Provenance()
    force: bool = False


class RollbackRequest(Strict):
    """Go back to a release; None is the one that was live before."""

    to: Number | None = None


class ScaleRequest(Strict):
    """How many instances of each process type."""

    processes: Annotated[dict[str, Annotated[int, Field(ge=0, le=1000)]], Field(min_length=1)]


class ScaleView(BaseModel):
    """How many instances of each process type are wished for; ``operation`` follows a change."""

    processes: dict[str, int]
    operation: str | None = None


class Accepted(BaseModel):
    """What was asked for goes on as ``operation``; None when it was so already."""

    operation: str | None
    release: int | None = None


class SourceView(BaseModel):
    """A source the platform keeps, named by its content."""

    digest: str
    size: int
    files: int


class DetectRequest(Strict):
    """A folder's file list, and the text of the files a detector asked for."""

    files: Annotated[list[str], Field(max_length=100_000)]
    contents: dict[str, str] = {}
    root: str = "."


class DetectView(BaseModel):
    """What a deploy would do; ``wants`` names files to send for a full answer."""

    detected: str | None
    reason: str
    notes: list[str]
    wants: list[str]
    processes: dict[str, str]
    release_command: str | None
    steps: list[str]


class ReleaseBrief(BaseModel):
    """A release in one line."""

    number: int
    state: str
    asked: datetime
    live: datetime | None
    by: str
    by_name: str


class ReleaseView(ReleaseBrief):
    """A numbered, immutable record of one build and one configuration in one environment.

    ``state`` is asked, live, replaced, failed, superseded or cancelled. ``lost`` counts by
    reason what visitors did not get during the rollout; None means not measured.
    """

    id: str
    operation: str
    kind: str
    build: str | None
    source: str | None
    config: str
    config_keys: list[str]
    processes: dict[str, str]
    provenance: Provenance
    rolled_back_to: int | None = None
    reason: str | None = None
    requests: int | None = None
    lost: dict[str, int] | None = None
    url: str


class DiffView(BaseModel):
    """What differs between two releases; secrets are never in it."""

    before: int
    after: int
    build: list[str | None]
    processes: dict[str, list[str | None]]
    config_added: list[str]
    config_removed: list[str]
    config_changed: list[str]
    commits: list[Commit] | None
    settings: dict[str, list[Any]]


class InstanceView(BaseModel):
    """One instance; what was not measured is None. ``limits``: standing by limit."""

    id: str
    name: str
    process: str
    release: int
    state: str
    since: datetime
    started: datetime | None
    restarts: int
    last_exit: str | None
    last_exit_at: datetime | None
    in_rotation: bool
    memory: int | None
    memory_limit: int | None
    cpu: float | None
    message: str
    limits: dict[str, str]
