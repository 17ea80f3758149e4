"""Work that runs a tenant's code once: builds, release commands, one-off runs."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from .addresses import VERSION
from .reports import Exit
from .wishes import Limits, VolumeMount


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
    CRON = "cron"


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
    url: str = ""
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
    """How far a job came; ``step`` is the title of the build step that runs or failed.

    While it waits for a place: how many of its own team and of others begin before it.
    """

    version: int = VERSION
    job: str
    state: JobState
    step: str = ""
    exit: Exit | None = None
    started: datetime | None = None
    finished: datetime | None = None
    size: int | None = None
    ahead_own: int = 0
    ahead_others: int = 0
