"""Who holds a port or a file of this machine, as far as we may see."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"


@dataclass(frozen=True)
class Holder:
    """A process, and what it calls itself; pid None when it is not ours to see."""

    pid: int | None
    command: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid})" if self.pid else self.command


def of_port(port: int) -> Holder | None:
    """Return who listens on the TCP port, or None when nobody does."""
    inodes = set(_listeners(port))
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return _first(wanted) or Holder(None, "a process of another user")


def of_file(path: Path) -> Holder | None:
    """Return another process that has the file open, if we can see one."""
    return _first({str(path)}, besides=os.getpid())


def command_of(pid: int) -> str:
    """Return the process's command line, as short as a person wants to read it."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "a process that is gone"
    return " ".join(word for word in words if word)[:80] or f"process {pid}"


def _listeners(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == LISTEN and int(words[1].rsplit(":", 1)[1], 16) == port:
                yield words[9]


def _first(wanted: set[str], besides: int = 0) -> Holder | None:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != besides and _opens(entry.path, wanted):
            return Holder(int(entry.name), command_of(int(entry.name)))
    return None


def _opens(folder: str, wanted: set[str]) -> bool:
    try:
        return any(os.readlink(entry.path) in wanted for entry in os.scandir(f"{folder}/fd"))
    except OSError:
        return False
