"""What is known of a sandbox from its state folder alone, so that any agent can find it again.

``status`` holds JSON lines, only ever appended to: who the shim is (written before it becomes
bwrap), the first process inside with its namespace and the exit code (written by bwrap), and
how it ended (written by whoever saw the end).
"""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cgroups import Groups
from .spec import SandboxSpec

SPEC, STATUS = "spec.json", "status"
_START_TAKES = 10.0  # seconds at most, from a request to the first line of its status
_MOMENT = 0.005


@dataclass(frozen=True)
class Status:
    """One sandbox as its status file tells it; ``written`` is when that last changed."""

    shim: int
    ticks: int
    started: str
    written: float
    command: str = ""
    tier: str = "A"
    groups: Groups = field(default_factory=Groups)
    child: int | None = None
    child_ticks: int | None = None
    namespace: int | None = None
    code: int | None = None
    ended: str = ""
    out_of_memory: bool = False
    problem: str = ""


def read_spec(state: Path) -> SandboxSpec:
    """Return the spec a sandbox was started with."""
    return SandboxSpec.from_json(json.loads((state / SPEC).read_text()))


def read_status(state: Path) -> Status | None:
    """Return what the status file tells; None when nothing was ever started there."""
    path = state / STATUS
    try:
        lines, written = path.read_text().splitlines(), path.stat().st_mtime
    except FileNotFoundError:
        return None
    said: dict[str, Any] = {}
    for line in lines:
        said.update(_parsed(line))
    if "shim" not in said:
        return None
    return Status(
        shim=said["shim"],
        ticks=said["ticks"],
        started=said["started"],
        written=written,
        command=said.get("command", ""),
        tier=said.get("tier", "A"),
        groups=Groups(**said.get("groups", {})),
        child=said.get("child-pid"),
        child_ticks=said.get("child-ticks"),
        namespace=said.get("pid-namespace"),
        code=said.get("exit-code"),
        ended=said.get("ended", ""),
        out_of_memory=said.get("out-of-memory", False),
        problem=said.get("problem", ""),
    )


def append(state: Path, **said: object) -> None:
    """Add a line to the status file; a file that is gone stays gone."""
    try:
        descriptor = os.open(state / STATUS, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return
    try:
        os.write(descriptor, json.dumps(said).encode() + b"\n")
    finally:
        os.close(descriptor)


def lock(state: Path) -> int | None:
    """Return the open, locked state folder; None while a start in it is under way."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def await_start(state: Path) -> None:
    """Wait until a start that a killed agent had asked for is written down, or has failed."""
    until = time.monotonic() + _START_TAKES
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        while (descriptor := lock(state)) is None:
            if time.monotonic() > until:
                return
            time.sleep(_MOMENT)
        os.close(descriptor)


def start_ticks(pid: int) -> int | None:
    """Return when a living process started, in the kernel's ticks: a pid that nobody can reuse."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def parent_of(pid: int) -> int | None:
    """Return the pid of a process's parent."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def shim_lives(status: Status) -> bool:
    """Say whether the outer bwrap (or what becomes it) still runs."""
    return start_ticks(status.shim) == status.ticks


def inside_lives(status: Status) -> bool:
    """Say whether the first process inside runs; its namespace tells it from a reused pid."""
    if status.child is None:
        return False
    try:
        found = os.readlink(f"/proc/{status.child}/ns/pid")
    except OSError:
        return False
    ticks = start_ticks(status.child)
    is_same = status.child_ticks in (None, ticks)  # told where the namespace is everybody's
    return found == f"pid:[{status.namespace}]" and ticks is not None and is_same


def has_ended(status: Status) -> bool:
    """Say whether nothing of a sandbox runs any more."""
    return not shim_lives(status) and not inside_lives(status)


def strays(status: Status) -> list[int]:
    """Return what a shim left that ended before it told of its child.

    Until it tells, its child waits for a word that never comes, in the session of the shim. The
    number of a session is not given to a new process while the session lasts.
    """
    if status.child is not None or shim_lives(status):
        return []
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (path / "stat").read_text().rpartition(")")[2].split()
            is_ours = int(words[3]) == status.shim and int(words[19]) >= status.ticks
            if is_ours and words[0] not in "ZX" and (path / "comm").read_text() == "bwrap\n":
                found.append(int(path.name))
    return found


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}  # the last line of a machine that lost power
    return found if isinstance(found, dict) else {}
