"""What jobs need of the rest of the agent's house, and a job while it is being done."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from perron.agent.builds import Builds
from perron.agent.logs import Labels, Logs
from perron.agent.sandbox import Mount, Running, Sandboxes
from perron.contract.node import JobKind, VolumeMount
from perron.kit.files import private_folder
from perron.kit.settings import Home, Settings

from .fetching import reach
from .model import Job, Phase


class Places(Protocol):
    """Gives out user ids."""

    def uid_of(self, environment: str) -> int:
        """Return the uid that the code of an environment, or of a team's builds, runs as."""


class Volumes(Protocol):
    """Knows the folders that outlive instances."""

    def mounts(self, environment: str, wanted: "list[VolumeMount]") -> tuple[Mount, ...]:
        """Return what to mount for an environment."""


@dataclass(frozen=True)
class Rooms:
    """The rooms and places a job is done with."""

    home: Home
    settings: Settings
    sandboxes: Sandboxes
    logs: Logs
    builds: Builds
    places: Places
    volumes: Volumes
    layers: dict[str, asyncio.Lock] = field(default_factory=dict)

    def folder(self, name: str) -> Path:
        """Return where everything of a job is while it is done."""
        return private_folder(self.home.node / "jobs") / name

    def state(self, name: str, phase: Phase) -> Path:
        """Return the state folder of a phase's sandbox; its name is that of its cgroup."""
        return private_folder(self.folder(name)) / f"{name}.{phase}"

    def output(self, name: str) -> Path:
        """Return the file that everything a job says goes to."""
        return private_folder(self.folder(name)) / "output"

    def labels(self, job: Job) -> Labels:
        """Return whose lines a job's output holds, and what must not be seen in them."""
        spec = job.spec
        secrets = [*spec.mask]
        if spec.kind is JobKind.BUILD:
            secrets += reach(self.settings.fetch, spec.fetch).secrets
        kind = str(spec.kind)
        return Labels(spec.environment, kind, kind, "", spec.release, job.name, tuple(secrets))


@dataclass
class Live:
    """A job that has not ended: how it stands, and what runs for it."""

    job: Job
    save: Callable[[Job], None]
    running: Running | None = None
    task: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    attended: asyncio.Event = field(default_factory=asyncio.Event)
    is_ending: bool = False

    def note(self, **changes: Any) -> None:
        """Write down how the job stands now, and tell whoever waits for news."""
        self.job = replace(self.job, **changes)
        self.save(self.job)
        self.tell()

    def tell(self) -> None:
        """Wake whoever waits for news."""
        self.changed.set()
        self.changed = asyncio.Event()
