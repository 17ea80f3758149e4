"""What was found in a source, and what could not be."""

from dataclasses import dataclass, field

from perron.contract.node import BuildPlan, Interpreter
from perron.kit.problems import Problem

from .manifest import Manifest


@dataclass(frozen=True)
class Detected:
    """How a source will be built and run, and why; ``wants`` names files that were not sent."""

    detector: str
    version: int
    reason: str
    notes: tuple[str, ...]
    manifest: Manifest
    plan: BuildPlan
    wants: tuple[str, ...] = ()
    interpreter: Interpreter | None = None

    @property
    def steps(self) -> list[str]:
        """The titles of what the build does, in order."""
        layer = self.plan.layer.steps if self.plan.layer else []
        return [step.title for step in [*layer, *self.plan.steps]]


@dataclass(frozen=True)
class Found:
    """What one detector makes of a project.

    ``commands`` are guesses for process types; Procfile and perron.toml win over them.
    """

    reason: str
    plan: BuildPlan = field(default_factory=BuildPlan)
    commands: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    interpreter: Interpreter | None = None
    release: str | None = None


class NotRecognised(Problem):
    """Nothing in the source says how to build or run it."""

    status = 422


class BuildRefused(Problem):
    """The source was recognised, but cannot be built or run as it is."""

    status = 422
