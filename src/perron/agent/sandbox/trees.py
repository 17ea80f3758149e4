"""What a tree of processes uses, read from /proc where there are no control groups."""

import os
from pathlib import Path

from .spec import Usage
from .status import children

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _CHILDREN_SYSTEM, _THREADS = 11, 14, 17  # places in /proc/PID/stat after the name


def usage(first: int) -> Usage:
    """Return what the process and all below it use; orphans inside are its children too."""
    found = [used for each in tree(first) if (used := _one(each))]
    if not found:
        return Usage(None, None, None)
    memory, cpu, threads = (sum(each) for each in zip(*found, strict=True))
    return Usage(memory=int(memory), cpu_seconds=cpu, processes=int(threads))


def tree(first: int) -> list[int]:
    """Return the process and every descendant."""
    found = [first]
    for each in found:
        found += children(each)
    return found


def _one(pid: int) -> tuple[int, float, int] | None:
    try:
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = sum(int(each) for each in words[_USER : _CHILDREN_SYSTEM + 1])
    return resident * _PAGE, ticks / _TICKS, int(words[_THREADS])
