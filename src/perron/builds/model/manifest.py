"""A manifest: what an app says about itself, put together from perron.toml and Procfile."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from perron.contract.node import HealthCheck, Limits
from perron.kit.problems import Problem

Rollout = Literal["rolling", "stop-first"]


class ManifestRefused(Problem):
    """perron.toml or Procfile cannot be used as it is; it says where and what instead."""

    status = 422


@dataclass(frozen=True)
class ProcessSpec:
    """One process type: its command and how it is kept alive. None: the platform's default."""

    command: str
    health_kind: Literal["http", "tcp", "up"] = "http"
    health_path: str | None = None
    health_interval: float = 5.0
    health_timeout: float = 2.0
    health_deadline: float = 60.0
    drain_timeout: float = 30.0
    stop_timeout: float = 10.0
    rollout: Rollout = "rolling"
    sticky: bool = False
    memory: int | None = None
    cpu: float | None = None
    processes: int | None = None
    open_files: int | None = None

    @property
    def health(self) -> HealthCheck:
        """How to find out whether an instance is well; a path of its own is taken strictly."""
        return HealthCheck(
            kind=self.health_kind,
            path=self.health_path or "/",
            strict=self.health_path is not None,
            interval=self.health_interval,
            timeout=self.health_timeout,
            deadline=self.health_deadline,
        )

    @property
    def limits(self) -> Limits:
        """The bounds of one instance."""
        return Limits(
            memory=self.memory,
            cpu=self.cpu,
            processes=self.processes,
            open_files=self.open_files,
        )


@dataclass(frozen=True)
class VolumeSpec:
    """A folder that outlives releases; ``size`` in bytes."""

    mount: str
    size: int


@dataclass(frozen=True)
class CronSpec:
    """A command that runs by the clock; ``timeout`` in seconds."""

    schedule: str
    command: str
    timezone: str = "UTC"
    overlap: Literal["skip", "queue", "replace"] = "skip"
    timeout: float = 3600.0


@dataclass(frozen=True)
class Manifest:
    """What runs, what it needs, and what it is called if it says so."""

    app: str | None = None
    processes: dict[str, ProcessSpec] = field(default_factory=dict)
    release_command: str | None = None
    volumes: dict[str, VolumeSpec] = field(default_factory=dict)
    connect: list[int] = field(default_factory=list)
    cron: dict[str, CronSpec] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` reads again.

        What came later is left out where it says nothing: builds are named by these values.
        """
        told = asdict(self)
        if not self.cron:
            del told["cron"]
        return told

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Manifest":
        """Read what ``as_json`` wrote."""
        return cls(
            app=value["app"],
            processes={name: ProcessSpec(**spec) for name, spec in value["processes"].items()},
            release_command=value["release_command"],
            volumes={name: VolumeSpec(**spec) for name, spec in value["volumes"].items()},
            connect=list(value["connect"]),
            cron={name: CronSpec(**spec) for name, spec in value.get("cron", {}).items()},
        )


@dataclass(frozen=True)
class BuildWishes:
    """The ``[build]`` and ``[static]`` tables: how the app wants to be built."""

    root: str | None = None
    python: str | None = None
    node: str | None = None
    publish: str | None = None
    command: str | None = None
    spa: bool = False


@dataclass(frozen=True)
class AppFile:
    """perron.toml as it was read: settings by table, each value checked."""

    app: str | None = None
    release: str | None = None
    build: BuildWishes = BuildWishes()
    processes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    volumes: Mapping[str, VolumeSpec] = field(default_factory=dict)
    connect: tuple[int, ...] = ()
    cron: Mapping[str, CronSpec] = field(default_factory=dict)


def compose(
    app_file: AppFile, commands: Mapping[str, str], *, release: str | None = None
) -> Manifest:
    """Put together what perron.toml says with the commands found elsewhere."""
    names = [*commands, *(name for name in app_file.processes if name not in commands)]
    return Manifest(
        app=app_file.app,
        processes={name: _process(name, app_file, commands.get(name)) for name in names},
        release_command=app_file.release or release,
        volumes=dict(app_file.volumes),
        connect=list(app_file.connect),
        cron=dict(app_file.cron),
    )


def _process(name: str, app_file: AppFile, command: str | None) -> ProcessSpec:
    settings = dict(app_file.processes.get(name, {}))
    command = settings.pop("command", command)
    if command is None:
        raise ManifestRefused(
            f'perron.toml: [process.{name}] has no command. Add: command = "…", or a line '
            f"'{name}: …' to Procfile."
        )
    plain = ProcessSpec(command, health_kind="http" if name == "web" else "up")
    return replace(plain, **settings)
