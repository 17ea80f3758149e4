"""What should run on a node, and how visitors reach it."""

from typing import Literal

from pydantic import BaseModel, Field

from .addresses import VERSION


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
