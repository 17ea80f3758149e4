"""What runs on a node, and what it offers."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from .addresses import VERSION


class InstanceState(StrEnum):
    """Where an instance stands."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    CRASHED = "crashed"


class Exit(BaseModel):
    """How an instance or a job ended; ``text`` says it in words."""

    at: datetime
    code: int | None = None
    signal: str | None = None
    out_of_memory: bool = False
    text: str


class InstanceReport(BaseModel):
    """One instance as the agent sees it; what was not measured is None."""

    id: str
    name: str
    environment: str
    process: str
    release: int
    revision: str
    state: InstanceState
    since: datetime
    started: datetime | None = None
    port: int | None = None
    pid: int | None = None
    in_rotation: bool = False
    restarts: int = 0
    crash_loop: bool = False
    last_exit: Exit | None = None
    message: str = ""
    memory: int | None = None
    cpu: float | None = None
    limits: dict[str, str] = {}


class EnvironmentReport(BaseModel):
    """What runs for one environment; ``generation`` is that of the wish it answers.

    ``routed``: the edge leads visitors exactly as wished, and nothing is draining any more.
    ``cut``: requests in flight that a drain time-out closed, since the agent began to count.
    ``let_in``: the edge has the hosts, maintenance, protection and limits that are wished.
    ``lost``: builds it is wished with whose files are not on this machine any more.
    """

    environment: str
    generation: int
    instances: list[InstanceReport]
    routed: bool
    parked: bool = False
    message: str = ""
    cut: int = 0
    lost: list[str] = []
    let_in: bool = False


class Report(BaseModel):
    """Everything that runs on a node; ``sequence`` grows with every change.

    ``partial``: environments that are not named are as they were in the report asked ``after``,
    and answer this generation now, unless they are parked.
    """

    version: int = VERSION
    node: str
    generation: int
    sequence: int
    partial: bool = False
    environments: list[EnvironmentReport]


class Interpreter(BaseModel):
    """A language runtime this machine offers."""

    language: Literal["python", "node"]
    version: str
    path: str
    source: str


class Promise(BaseModel):
    """What the sandbox promises here: enforced, watched, open or unknown, and how to do better.

    ``code`` is its name for machines; an agent of an earlier version gives none.
    """

    name: str
    code: str = ""
    standing: Literal["enforced", "watched", "open", "unknown"]
    advice: str = ""


class NodeView(BaseModel):
    """What a node is and offers.

    ``not_understood``: what it was told, in wishes and jobs, that its version does not know.
    """

    version: int = VERSION
    node: str
    tier: str
    promises: list[Promise]
    interpreters: list[Interpreter]
    disk_free: int
    disk_total: int
    edge: Literal["up", "down"]
    agent_version: str
    started: datetime
    not_understood: list[str] = []


class RouterCount(BaseModel):
    """What the edge saw of one environment between two moments.

    ``lost`` counts by reason what visitors did not get: the edge's own 5xx, answers cut short,
    retries that ran out. ``gaps`` counts access lines known to be missing.
    """

    version: int = VERSION
    requests: int
    lost: dict[str, int]
    gaps: int
    first_served: datetime | None = None


class Traffic(BaseModel):
    """Requests of each minute of the last hour by environment, the present minute last.

    What is not in it had none since the edge began to count.
    """

    version: int = VERSION
    minutes: dict[str, list[int]]


class VolumeView(BaseModel):
    """One volume as it is on this node."""

    name: str
    size: int
    used: int | None
    quota: Literal["enforced", "watched"]
    snapshots: list[str] = []
