"""A platform on a disk of its own that is small; for a mount namespace of its own."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.rig.platform import Platform

MIB = 1 << 20


@contextmanager
def on_small_disk(size: int, *, reserve: int) -> Iterator[Platform]:
    """Give a platform that is not up yet; it and its disk are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="perron-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        sys.exit("cannot mount")
    made = Platform(folder, PERRON_DISK_RESERVE=str(reserve))
    try:
        yield made
    finally:
        made.perron("down", "--apps", check=False)
        os.chdir("/")
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


def fill(ballast: Path, *, leave: int) -> None:
    """Take all of the disk but so much."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while (free := shutil.disk_usage(ballast).free) > leave:
            file.write(bytes(min(MIB, free - leave)))


def must(holds: object, what: str) -> None:
    """End here and say what was expected, unless it holds."""
    if not holds:
        sys.exit(f"it does not hold: {what}")


def must_be_whole(here: Platform) -> None:
    """End here unless both databases are sound."""
    for name in ("perron.db", "node.db"):
        with closing(sqlite3.connect(here.home / name)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
        must(found == "ok", f"{name}: {found}")
