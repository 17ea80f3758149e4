"""The machine as it is once booted, kept beside its disk: waking it takes seconds."""

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from .emulator import Disks, version
from .kept import key, run
from .machine import Machine
from .payload import SIZE

# What the first command would wait for: it is in memory when the machine wakes.
_WARM = "python3 -c 'import asyncio, json, sqlite3, ssl, http.client, subprocess, uuid'"


def booted(disks: Disks) -> Disks:
    """Return the same machine, booted; itself where its emulator keeps no state."""
    folder = disks.disk.parent
    kept = folder / f"booted-{key('machine.py', 'emulator.py', 'booted.py', more=version())}"
    if not kept.exists():
        for each in folder.glob("booted-*"):
            shutil.rmtree(each)  # of another emulator
        with tempfile.TemporaryDirectory(dir=folder) as work:
            made = Path(work) / "booted"
            made.mkdir()
            try:
                _make(disks, made)
            except OSError:
                return disks
            os.replace(made, kept)
    return replace(disks, disk=kept / "disk", state=kept / "state")


def _make(disks: Disks, made: Path) -> None:
    """Boot a copy of the disk beside an empty payload, and keep both as they are then."""
    run("cp", "--sparse=always", str(disks.disk), str(made / "disk"))
    empty = made.with_name("empty")
    run("mke2fs", "-qF", "-t", "ext4", str(empty), SIZE)
    with Machine(replace(disks, disk=made / "disk"), empty, keep=True) as machine:
        machine.run(_WARM)
        machine.save(made / "state")
