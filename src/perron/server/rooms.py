"""How much disk each part of the platform's folder takes: measured aside, and not too often."""

import logging
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, Thread

from perron.kit import clock
from perron.kit.settings import Home

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=5)
LONGEST = 300.0
PARTS: Mapping[str, tuple[str, ...]] = {
    "builds": ("node/builds",),
    "installed dependencies": ("node/layers",),
    "package caches": ("node/caches",),
    "volumes": ("node/volumes",),
    "copies of volumes": ("node/snapshots",),
    "logs": ("node/logs.db*", "logs"),
    "output of instances": ("node/instances", "node/jobs"),
    "sources": ("sources",),
    "backups": ("backups",),
    "state": ("perron.db*", "node.db*", "audit"),
}


@dataclass(frozen=True)
class Measured:
    """What the parts took when they were measured, in bytes."""

    parts: Mapping[str, int]
    at: datetime


_found: dict[Path, Measured] = {}
_busy: set[Path] = set()
_lock = Lock()


def measured(home: Home) -> Measured | None:
    """Return the last measure, None before the first; one that is old is taken anew, aside."""
    found = _found.get(home.path)
    if found is None or clock.now() - found.at > AGAIN:
        _measure_aside(home.path)
    return found


def measure(folder: Path) -> Measured | None:
    """Measure now; None where no program can."""
    program = shutil.which("du")
    if program is None:
        return None
    parts = {name: _sizes(program, folder, patterns) for name, patterns in PARTS.items()}
    return Measured({name: size for name, size in parts.items() if size}, clock.now())


def _measure_aside(folder: Path) -> None:
    with _lock:
        if folder in _busy:
            return
        _busy.add(folder)
    Thread(target=_keep, args=(folder,), name="rooms", daemon=True).start()


def _keep(folder: Path) -> None:
    try:
        if found := measure(folder):
            _found[folder] = found
    except (OSError, subprocess.SubprocessError, ValueError):
        log.exception("The platform's folder could not be measured.")
    finally:
        _busy.discard(folder)


def _sizes(program: str, folder: Path, patterns: tuple[str, ...]) -> int:
    """Return what everything of these names takes; what is gone meanwhile takes nothing."""
    found = [str(path) for pattern in patterns for path in folder.glob(pattern)]
    if not found:
        return 0
    politely = [nice, "-n", "19"] if (nice := shutil.which("nice")) else []
    done = subprocess.run(  # noqa: S603 - our own folders, told absolutely
        [*politely, program, "-skx", *found],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=LONGEST,
        check=False,
    )
    return sum(int(line.split()[0]) for line in done.stdout.splitlines()) * 1024
