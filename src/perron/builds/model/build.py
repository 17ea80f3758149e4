"""Builds: artefacts named by everything that went into them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from perron.contract.node import BuildPlan, JobSpec
from perron.kit.problems import NotFound
from perron.kit.spine import Place

from .detected import Detected
from .manifest import Manifest


@dataclass(frozen=True)
class Build:
    """What one source became; immutable, and the same for ever under its identity."""

    identity: str
    app: str
    source: str
    root: str
    detector: str
    manifest: Manifest
    created: datetime
    size: int | None = None


@dataclass(frozen=True)
class Planned:
    """What a deploy shall build, and the job that makes it where it is not there yet."""

    identity: str
    job: JobSpec
    detected: Detected
    app: str
    source: str
    root: str
    place: Place

    @property
    def job_name(self) -> str:
        """The name under which the agent is asked for the job."""
        return f"build-{self.identity[:32]}"

    @property
    def manifest(self) -> Manifest:
        """What runs once it is built."""
        return self.detected.manifest


@dataclass(frozen=True)
class BuildAsked:
    """A deploy needs a build that does not exist yet; provenance as the caller gave it."""

    type: ClassVar[str] = "perron.build.asked.v1"
    identity: str
    source: str
    detector: str
    provenance: dict[str, Any]


@dataclass(frozen=True)
class BuildStarted:
    """A build began."""

    type: ClassVar[str] = "perron.build.started.v1"
    identity: str
    source: str


@dataclass(frozen=True)
class BuildFinished:
    """A build is there; ``seconds`` is None when nobody measured."""

    type: ClassVar[str] = "perron.build.finished.v1"
    identity: str
    source: str
    detector: str
    size: int | None
    seconds: float | None


@dataclass(frozen=True)
class BuildFailed:
    """A build came to nothing."""

    type: ClassVar[str] = "perron.build.failed.v1"
    identity: str
    source: str
    step: str
    reason: str


@dataclass(frozen=True)
class BuildReused:
    """A deploy found the build it needs already made."""

    type: ClassVar[str] = "perron.build.reused.v1"
    identity: str
    source: str


class BuildNotFound(NotFound):
    """The app has no build of that identity."""


def identity_of(*, app: str, source: str, root: str, detected: Detected, config: str) -> str:
    """Name a build by everything that could make it differ from another."""
    parts = {
        "app": app,
        "source": source,
        "root": root,
        "detector": f"{detected.detector}/{detected.version}",
        "plan": detected.plan.model_dump(mode="json"),
        "manifest": detected.manifest.as_json(),
        "interpreter": detected.interpreter.version if detected.interpreter else None,
        "config": config,
    }
    return digest_of(parts)


def scoped(plan: BuildPlan, scope: str) -> BuildPlan:
    """Return the plan with its layer's key bound to ``scope``: no other team shares it."""
    if plan.layer is None:
        return plan
    key = digest_of({"scope": scope, "layer": plan.layer.model_dump(mode="json")})
    return plan.model_copy(update={"layer": plan.layer.model_copy(update={"key": key})})


def digest_of(value: Mapping[str, Any]) -> str:
    """Return the digest of plain values."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
