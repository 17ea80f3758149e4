"""Runs a platform hard for an hour and draws what it takes: ``make soak`` (SECONDS= shortens it).

Deploys, scales, restarts, kills of instances, server, agent and edge, and visitors all the while.
What a process holds must be flat: the median of the last third may exceed that of the second
third by 10 % and a little. What is kept (disk, rows) may grow with what is done, but in the last
third by no more than twice as much for each thing done as in the second.
"""

import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .rig.load import Load
from .rig.platform import Platform, platform, wait_until

Act = Callable[[Platform, Path, random.Random], None]
EVERY = 5.0
PROCESSES = ("serve", "agent", "edge")
BARS = "▁▂▃▄▅▆▇█"
SLACK = {"MiB": 4.0, "files": 24.0, "threads": 6.0}
KEPT = {"disk MiB": 2.0, "rows": 10.0}  # and what each thing done may add without a word
DONE = "things done"


@dataclass
class Figures:
    """What was measured, by name, sample by sample; None where nobody could tell."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float | None) -> None:
        if value is not None:
            self.found.setdefault(name, []).append(value)

    def faults(self) -> list[str]:
        """Say what is not flat."""
        done = self.found.get(DONE, [])
        named = ((name, values) for name, values in self.found.items() if name != DONE)
        return [told for name, values in named if (told := _fault(name, values, done))]

    def __str__(self) -> str:
        rows = [f"{'':18} {'first':>9} {'second third':>13} {'last third':>11} {'most':>9}"]
        for name, values in self.found.items():
            second, last = _thirds(values)
            rows.append(
                f"{name:18} {values[0]:9.1f} {second:13.1f} {last:11.1f} {max(values):9.1f}"
                f"  {_line(values)}"
            )
        return "\n".join(rows)


def main(seconds: float) -> int:
    """Run so long; return 1 when something was not flat or a visitor lost something."""
    chance, figures = random.Random(7), Figures()  # noqa: S311 - the same hour each time
    with platform() as here:
        folder = here.app("load")
        here.perron("deploy", str(folder), "-a", "load", "--create")
        here.perron("scale", "-a", "load", "web=2")
        wait_until(lambda: here.status("load.localhost") == 200, 60)
        with Load(here.http_port, "load.localhost", pace=0.05) as load:
            done = _live(here, folder, chance, figures, time.monotonic() + seconds)
            tally = load.stop()
    print(f"{seconds:.0f} s: {', '.join(f'{n} {what}' for what, n in sorted(done.items()))}")
    print(f"Visitors: {tally}\n\n{figures}\n")
    faults = figures.faults()
    print("\n".join(faults) or "Flat.")
    return bool(faults)


def _live(
    here: Platform, folder: Path, chance: random.Random, figures: Figures, end: float
) -> dict[str, int]:
    """Do one thing after the other, and look every few seconds."""
    done: dict[str, int] = {}
    looked = 0.0
    ahead: list[tuple[str, Act]] = []
    while time.monotonic() < end:
        ahead = ahead or chance.sample(ACTS, len(ACTS))
        name, act = ahead.pop()
        with suppress(AssertionError):  # a killed server may refuse the next thing for a moment
            act(here, folder, chance)
            done[name] = done.get(name, 0) + 1
        _settle(here)
        if time.monotonic() - looked > EVERY:
            figures.note(DONE, sum(done.values()))
            _look(here, figures)
            looked = time.monotonic()
    return done


def _settle(here: Platform) -> None:
    wait_until(lambda: here.pid("serve") and here.pid("agent") and here.edge_pids(), 60)
    wait_until(lambda: here.status("load.localhost") == 200, 60, "the app answers")


def _deploy(here: Platform, folder: Path, _chance: random.Random) -> None:
    (folder / "changed.txt").write_text(str(time.time()))
    here.perron("deploy", str(folder), "-a", "load", timeout=300)


def _scale(here: Platform, _folder: Path, chance: random.Random) -> None:
    here.perron("scale", "-a", "load", f"web={chance.randint(2, 4)}", timeout=300)


def _restart(here: Platform, _folder: Path, _chance: random.Random) -> None:
    here.perron("restart", "-a", "load", timeout=300)


def _set(here: Platform, _folder: Path, chance: random.Random) -> None:
    here.perron("config", "set", f"N={chance.random()}", "-a", "load", timeout=300)


def _kill_instance(here: Platform, _folder: Path, chance: random.Random) -> None:
    if pids := here.instance_pids():
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), 9)


def _kill(name: str) -> Act:
    def act(here: Platform, _folder: Path, _chance: random.Random) -> None:
        here.kill(name)

    return act


ACTS = [
    ("deploys", _deploy), ("deploys", _deploy), ("scales", _scale), ("scales", _scale),
    ("restarts", _restart), ("settings", _set), ("killed instances", _kill_instance),
    ("killed servers", _kill("serve")), ("killed agents", _kill("agent")),
]  # fmt: skip


def _look(here: Platform, figures: Figures) -> None:
    for name in PROCESSES:
        pids = here.edge_pids() if name == "edge" else [here.pid(name)]
        with suppress(OSError):
            if not all(pids):
                continue  # just killed
            figures.note(f"{name} MiB", sum(_pss(pid) for pid in pids) / 1024)
            figures.note(f"{name} files", sum(_count(pid, "fd") for pid in pids))
            figures.note(f"{name} threads", sum(_count(pid, "task") for pid in pids))
    figures.note("disk MiB", _disk(here.home) / 2**20)
    figures.note("rows", _rows(here.home / "perron.db"))


def _pss(pid: int) -> int:
    """Return what a process takes, in KiB, its share of what it shares included."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _count(pid: int, what: str) -> int:
    return len(os.listdir(f"/proc/{pid}/{what}"))


def _disk(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_blocks * 512
    return total


def _rows(path: Path) -> float | None:
    try:
        with closing(sqlite3.connect(path, timeout=5)) as database:
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            tables = [row[0] for row in database.execute(query).fetchall()]
            counts = (f'SELECT count(*) FROM "{each}"' for each in tables)  # noqa: S608 - ours
            return float(sum(database.execute(each).fetchone()[0] for each in counts))
    except sqlite3.Error:
        return None


def _thirds(values: list[float]) -> tuple[float, float]:
    third = max(1, len(values) // 3)
    second, last = values[third : 2 * third] or values, values[-third:]
    return median(second), median(last)


def _fault(name: str, values: list[float], done: list[float]) -> str | None:
    third = len(values) // 3
    if third < 2:
        return f"{name}: {len(values)} samples say nothing: not assessed"
    second, last = _thirds(values)
    if name in KEPT:
        before, after = (
            (values[to] - values[at]) / max(1.0, done[to] - done[at])
            for at, to in ((third, 2 * third), (2 * third, len(values) - 1))
        )
        if after > 2 * max(before, 0) + KEPT[name]:
            return f"{name} grows faster and faster: {before:.1f} a thing done, then {after:.1f}"
        return None
    if last > 1.1 * second + SLACK[name.rpartition(" ")[2]]:
        return f"{name} is not flat: {second:.1f}, then {last:.1f}"
    return None


def _line(values: list[float], width: int = 40) -> str:
    """Draw the samples in so many bars."""
    step = max(1, len(values) // width)
    means = [sum(part) / len(part) for at in range(0, len(values), step)
             if (part := values[at : at + step])]  # fmt: skip
    low, high = min(means), max(means)
    span = (high - low) or 1
    return "".join(BARS[int((each - low) / span * (len(BARS) - 1))] for each in means)


if __name__ == "__main__":
    sys.exit(main(float(os.environ.get("SOAK", "3600"))))
