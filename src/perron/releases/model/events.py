"""What happens to releases, as the spine tells it."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class ReleaseAsked:
    """Someone asked for a release; provenance is kept as it was given, unknown where unknown."""

    type: ClassVar[str] = "perron.release.asked.v1"
    number: int
    kind: str
    source: str
    root: str
    config: str
    config_keys: list[str]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class ReleaseLive:
    """A release went live; ``reason`` is why it was asked for."""

    type: ClassVar[str] = "perron.release.live.v1"
    number: int
    build: str
    source: str
    reason: str
    before: int | None
    sha: str | None
    committed: str | None


@dataclass(frozen=True)
class ReleaseFailed:
    """A release could not go live."""

    type: ClassVar[str] = "perron.release.failed.v1"
    number: int
    reason: str


@dataclass(frozen=True)
class ReleaseSuperseded:
    """A newer release took the place of one that was not live yet."""

    type: ClassVar[str] = "perron.release.superseded.v1"
    number: int
    reason: str


@dataclass(frozen=True)
class ReleaseCancelled:
    """Someone stopped a release on its way."""

    type: ClassVar[str] = "perron.release.cancelled.v1"
    number: int
    reason: str


@dataclass(frozen=True)
class RolledBack:
    """Someone went back: release ``number`` is what ``to`` was, in place of ``live``."""

    type: ClassVar[str] = "perron.release.rolled_back.v1"
    number: int
    to: int
    live: int | None


@dataclass(frozen=True)
class RolloutCounted:
    """What visitors asked during a rollout, and by reason what they did not get."""

    type: ClassVar[str] = "perron.release.requests_lost.v1"
    number: int
    requests: int
    lost: dict[str, int]
    gaps: int


@dataclass(frozen=True)
class FirstServed:
    """The first visitor was served after a release went live."""

    type: ClassVar[str] = "perron.release.first_served.v1"
    number: int


@dataclass(frozen=True)
class ScaleChanged:
    """Someone wants other numbers of instances."""

    type: ClassVar[str] = "perron.scale.changed.v1"
    before: dict[str, int]
    after: dict[str, int]


@dataclass(frozen=True)
class InstancesRestarted:
    """Someone wants new instances of what is live."""

    type: ClassVar[str] = "perron.instances.restarted.v1"
    number: int


@dataclass(frozen=True)
class EnvironmentStopped:
    """Someone stopped every instance of an environment."""

    type: ClassVar[str] = "perron.environment.stopped.v1"
    number: int


@dataclass(frozen=True)
class EnvironmentStarted:
    """Someone started an environment again."""

    type: ClassVar[str] = "perron.environment.started.v1"
    number: int


@dataclass(frozen=True)
class EnvironmentDestroyed:
    """Nothing is left of an environment but its events."""

    type: ClassVar[str] = "perron.environment.destroyed.v1"
    name: str


@dataclass(frozen=True)
class AppDestroyed:
    """Nothing is left of an app but its events."""

    type: ClassVar[str] = "perron.app.destroyed.v1"
    name: str


@dataclass(frozen=True)
class RunAsked:
    """Someone ran a one-off command; what it was told stays out of the record."""

    type: ClassVar[str] = "perron.run.asked.v1"
    run: str
    program: str


@dataclass(frozen=True)
class ExecOpened:
    """Someone opened a command inside a running instance."""

    type: ClassVar[str] = "perron.exec.opened.v1"
    instance: str
    program: str
