"""What the server tells an agent, and what the agent answers.

Spoken over the agent's unix socket. Every message carries ``version``: the two understand
each other one version apart. All times are RFC 3339 in UTC; durations are in seconds; sizes
are in bytes.

What the addresses take beside the shapes below:

- ``PUT WISHES`` a WishDocument; an older generation is refused with 409 and the fact ``heard``.
- ``GET REPORT?after=&wait=`` a Report, as soon as its sequence is not ``after``.
- ``DELETE PARKED`` lets a parked environment go; ``PUT SOURCE`` takes the archive's bytes.
- ``GET JOB?wait=`` a JobReport, as soon as it changed; ``DELETE JOB`` cancels.
- ``GET LOGS?environment=&source=&process=&instance=&release=&job=&since=&until=&text=&after=
  &limit=&wait=`` a LogPage; ``GET ROUTER?since=&until=`` a RouterCount.
- ``GET VOLUMES`` a list of VolumeView; ``PUT VOLUME?size=`` makes one; ``DELETE VOLUME``
  destroys it; ``GET VOLUME_FILES`` and ``PUT VOLUME_FILES`` a tar archive of its files, out and
  in; ``POST VOLUME_SNAPSHOTS`` keeps one, and answers the VolumeView.
- ``EXEC?arg=&arg=&terminal=&rows=&columns=`` and ``ATTACH?rows=&columns=`` are WebSockets that
  speak as ``contract/sessions.py`` says.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field

VERSION = 1

WISHES = "/v1/wishes"
REPORT = "/v1/report"
PARKED = "/v1/parked/{environment}"
NODE = "/v1/node"
SOURCE = "/v1/sources/{digest}"
BUILD = "/v1/builds/{digest}"
JOB = "/v1/jobs/{job}"
LOGS = "/v1/logs"
ROUTER = "/v1/router/{environment}"
VOLUME = "/v1/volumes/{environment}/{volume}"
VOLUMES = "/v1/volumes/{environment}"
VOLUME_FILES = VOLUME + "/files"
VOLUME_SNAPSHOTS = VOLUME + "/snapshots"
EXEC = "/v1/instances/{instance}/exec"
ATTACH = "/v1/jobs/{job}/attach"


class HealthCheck(BaseModel):
    """How to find out whether an instance is well.

    ``http``: GET ``path``; 5xx or no answer is not well; ``strict`` wants 2xx or 3xx (set when
    the app named its own path). ``tcp``: the port accepts. ``up``: it runs for ``up_for``.
    """

    kind: Literal["http", "tcp", "up"] = "http"
    path: str = "/"
    strict: bool = False
    interval: float = 5.0
    timeout: float = 2.0
    deadline: float = 60.0
    up_for: float = 3.0


class Limits(BaseModel):
    """Bounds of one instance or job; None leaves the platform's default."""

    memory: int | None = None
    cpu: float | None = None
    processes: int | None = None
    open_files: int | None = None


class VolumeMount(BaseModel):
    """A folder of the environment that outlives its instances; ``size`` is its quota."""

    name: str
    mount: str
    size: int


class ProcessSet(BaseModel):
    """The instances of one process type of one release; a new ``revision`` means new instances.

    ``stop_first``: no instance starts before every one of another release has ended.
    """

    process: str
    release: int
    revision: str
    build: str
    command: str
    count: int = Field(ge=0)
    serving: bool = True
    stop_first: bool = False
    health: HealthCheck = HealthCheck()
    drain_timeout: float = 30.0
    stop_timeout: float = 10.0
    limits: Limits = Limits()
    env: dict[str, str] = {}
    volumes: list[VolumeMount] = []
    connect: list[int] = []


class Certificate(BaseModel):
    """A certificate given for a host, with its private key, both PEM."""

    host: str
    pem: str


class EnvironmentWish(BaseModel):
    """What should run for one environment, and how visitors reach it.

    Only the ``web`` process type is routed. ``password`` is ``sha256$<salt>$<digest>``
    of ``salt:user:password``; None means public. ``page`` says what visitors see where nothing
    serves: ``empty`` (nothing deployed) or ``stopped``.
    """

    environment: str
    app: str
    team: str
    app_name: str
    environment_name: str
    hosts: list[str]
    sets: list[ProcessSet]
    sticky: bool = False
    maintenance: bool = False
    user: str | None = None
    password: str | None = None
    page: Literal["empty", "stopped"] = "empty"
    max_body: int = 1 << 30
    idle_timeout: float = 60.0
    log_queries: bool = False
    certificates: list[Certificate] = []


class WishDocument(BaseModel):
    """Everything that should run on a node; ``generation`` only ever grows.

    What is neither wished nor named in ``gone`` is parked by the agent and keeps running; only
    what ``gone`` names is ended, with its files, volumes and uid.
    """

    version: int = VERSION
    generation: int
    wishes: list[EnvironmentWish]
    gone: list[str] = []


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
    """

    environment: str
    generation: int
    instances: list[InstanceReport]
    routed: bool
    parked: bool = False
    message: str = ""
    cut: int = 0


class Report(BaseModel):
    """Everything that runs on a node; ``sequence`` grows with every change."""

    version: int = VERSION
    node: str
    generation: int
    sequence: int
    environments: list[EnvironmentReport]


class Interpreter(BaseModel):
    """A language runtime this machine offers."""

    language: Literal["python", "node"]
    version: str
    path: str
    source: str


class Promise(BaseModel):
    """What the sandbox promises here: enforced, watched, open or unknown, and how to do better."""

    name: str
    standing: Literal["enforced", "watched", "open", "unknown"]
    advice: str = ""


class NodeView(BaseModel):
    """What a node is and offers."""

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


class Fetch(BaseModel):
    """Where a build finds packages; credentials stay inside these values."""

    environment: dict[str, str] = {}
    ca_bundle: str | None = None


class BuildStep(BaseModel):
    """One command of a build, run with ``/bin/sh -e`` in ``/app``."""

    title: str
    command: str
    env: dict[str, str] = {}


class Layer(BaseModel):
    """Dependencies made once and shared by builds of the same app's team.

    ``key`` names it; ``folder`` is where under ``/app`` it belongs. ``share``: mounted
    read-only under later steps and instances; otherwise copied, because later steps write to it.
    """

    key: str
    folder: str
    steps: list[BuildStep]
    share: bool = True


class BuildPlan(BaseModel):
    """How to make a build from a source: dependencies, then the rest."""

    root: str = "."
    layer: Layer | None = None
    steps: list[BuildStep] = []
    read: list[str] = []
    path: list[str] = []
    publish: str | None = None


class JobKind(StrEnum):
    """What a job is for."""

    BUILD = "build"
    RELEASE = "release"
    RUN = "run"


class JobSpec(BaseModel):
    """Work that runs a tenant's code once. Asked for by name: asking twice is asking once.

    A ``build`` job makes ``output`` from ``source`` by ``plan``. The others run ``command`` in
    ``build``. ``interactive`` jobs wait for somebody to attach, and end when they leave.
    """

    version: int = VERSION
    kind: JobKind
    environment: str
    app: str
    team: str
    app_name: str
    environment_name: str
    release: int | None = None
    source: str | None = None
    output: str | None = None
    plan: BuildPlan | None = None
    build: str | None = None
    command: str = ""
    argv: list[str] = []
    env: dict[str, str] = {}
    mask: list[str] = []
    fetch: Fetch = Fetch()
    volumes: list[VolumeMount] = []
    connect: list[int] = []
    limits: Limits = Limits()
    timeout: float = 900.0
    interactive: bool = False
    terminal: bool = False


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobReport(BaseModel):
    """How far a job came; ``step`` is the title of the build step that runs or failed."""

    version: int = VERSION
    job: str
    state: JobState
    step: str = ""
    exit: Exit | None = None
    started: datetime | None = None
    finished: datetime | None = None
    size: int | None = None


class LogLine(BaseModel):
    """One line; ``late``: read after the agent was away, so its time is an upper bound.

    ``source`` is app, build, release, run, router or platform. ``stream`` is out for now: both
    streams of a process share one file, so that their order holds.
    """

    cursor: int
    time: datetime
    source: str
    process: str = ""
    instance: str = ""
    release: int | None = None
    job: str = ""
    text: str
    late: bool = False
    gap: str = ""


class LogPage(BaseModel):
    """Lines, oldest first; ask again with ``after`` = ``next`` for what follows."""

    version: int = VERSION
    lines: list[LogLine]
    next: int


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


class VolumeView(BaseModel):
    """One volume as it is on this node."""

    name: str
    size: int
    used: int | None
    quota: Literal["enforced", "watched"]
    snapshots: list[str] = []
