"""What a sandbox is asked to be, and what becomes of it.

Standard library only: the launcher, which starts in a few milliseconds, reads this file too.
"""

import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

MIB = 1 << 20
_SAID = frozenset(range(1, 32))
_NOT_FOUND, _NOT_RUNNABLE = 127, 126


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host, seen inside at ``target``."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True)
class SandboxSpec:
    """Everything about a sandbox but its command and environment, which may be secret.

    ``state`` is a private folder that exists; ``output`` takes both streams and belongs to the
    app's uid, because programs open /dev/stdout by name. ``connect`` is the complete list of
    TCP ports it may connect to besides its own ``port``. ``view`` is used only where there is no
    sandbox: a folder that leads to the app by the same name while it is built and ever after.
    """

    name: str
    state: str
    output: str
    app: str
    uid: int
    app_writable: bool = False
    mounts: tuple[Mount, ...] = ()
    cwd: str = "/app"
    path: tuple[str, ...] = ()
    port: int | None = None
    connect: tuple[int, ...] = ()
    memory: int | None = None
    cpu: float | None = None
    processes: int = 256
    open_files: int = 4096
    tmp_size: int = 64 * MIB
    home_size: int = 64 * MIB
    shm_size: int = 64 * MIB
    low_priority: bool = False
    die_with_parent: bool = False
    view: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return this spec as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "SandboxSpec":
        """Return the spec kept as plain values; fields of a later version are left out."""
        known = {each.name for each in fields(cls)}
        kept = {name: value for name, value in given.items() if name in known}
        kept["mounts"] = tuple(Mount(**each) for each in kept.get("mounts", ()))
        for name in ("path", "connect"):
            kept[name] = tuple(kept.get(name, ()))
        return cls(**kept)


@dataclass(frozen=True)
class Usage:
    """What a sandbox uses now; None where it was not measured."""

    memory: int | None
    cpu_seconds: float | None
    processes: int | None


@dataclass(frozen=True)
class Ending:
    """How a sandbox ended; ``text`` says it in words."""

    code: int | None
    signal: str | None
    out_of_memory: bool
    at: datetime
    text: str


def signal_of(code: int | None) -> str | None:
    """Return the signal an exit code stands for, such as SIGKILL for 137."""
    if code is None or code - 128 not in _SAID:
        return None
    return signal.Signals(code - 128).name


def describe(
    code: int | None, *, out_of_memory: bool, memory: int | None, command: str, problem: str
) -> str:
    """Say in words how a sandbox ended."""
    if out_of_memory:
        return f"out of memory: used more than {memory // MIB} MB" if memory else "out of memory"
    if code is None:
        return problem or "killed by SIGKILL"
    if code == _NOT_FOUND:
        return f"command not found: {command} (127)" if command else "command not found (127)"
    if code == _NOT_RUNNABLE:
        return f"command cannot be run: {command} (126)".replace(":  (", " (")
    if name := signal_of(code):
        return f"killed by {name}" + (" (a forbidden system call)" if name == "SIGSYS" else "")
    return f"exited with code {code}"
