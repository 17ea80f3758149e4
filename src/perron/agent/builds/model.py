"""What a finished build is."""

from dataclasses import dataclass
from pathlib import Path

from perron.agent.sandbox import Mount
from perron.contract.node import BuildPlan
from perron.kit.problems import NotFound

SEEN_AT = "/app"


class BuildNotFound(NotFound):
    """This node has no build by that name."""


@dataclass(frozen=True)
class Build:
    """A result that never changes: what is seen at ``/app``, and what is mounted beside it.

    ``mounts``: the shared layer, and interpreters and tools at their own paths. ``path``:
    folders, as seen inside, that come first on the PATH.
    """

    identity: str
    app: Path
    mounts: tuple[Mount, ...]
    path: tuple[str, ...]
    size: int
    layer: str | None = None


def tools(plan: BuildPlan) -> tuple[Mount, ...]:
    """Return what of this machine a build needs beside the system, each at its own path."""
    return tuple(Mount(path, path) for path in plan.read)


def layer_target(plan: BuildPlan) -> str:
    """Return where the layer of a plan is seen inside."""
    folder = plan.layer.folder if plan.layer else ""
    return f"{SEEN_AT}/{folder}"
