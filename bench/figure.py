"""One line of the table, and how to measure the processes of a platform."""

import os
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = int(os.environ.get("ROUNDS", "9"))


@dataclass
class Figure:
    """What was measured, what was wanted, and every single value."""

    name: str
    wanted: str
    here: str
    values: list[float] = field(default_factory=list)


def median(name: str, wanted: str, values: list[float], unit: str = "s") -> Figure:
    """Return the median of several values as a line, with their range."""
    middle = statistics.median(values)
    text = f"{middle:.2f} {unit} ({min(values):.2f}–{max(values):.2f}, n={len(values)})"
    return Figure(name, wanted, text, values)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU-seconds these processes have used."""
    total = 0
    for pid in pids:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Return the CPU-seconds this machine has spent on anything, whoever's."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _disk, hard, soft = (int(each) for each in words[:7])
    return (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")


def pss(pids: Iterable[int]) -> float:
    """Return the proportional memory of these processes, in MB."""
    kilobytes = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def family(pid: int) -> list[int]:
    """Return the process and its children that are no sandboxes."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"bwrap" not in command and b"haproxy" not in command:
                found += family(int(child))
    return found
