"""Run in a mount namespace of its own: a backup is put back on a disk that gets full meanwhile."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.rig.platform import Platform, wait_until

MIB = 1 << 20
SIZE = 500 * MIB
KEEP = '[volumes.data]\nmount = "/data"\nsize = "200M"\n'


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="perron-", dir="/tmp"))
    backup = Path(tempfile.mkdtemp(prefix="perron-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        sys.exit("cannot mount")
    made = Platform(folder, PERRON_DISK_RESERVE=str(20 * MIB))
    try:
        story(made.up(), backup / "whole")
        print(json.dumps({"all": "well"}))
    finally:
        made.perron("down", "--apps", check=False)
        os.chdir("/")
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()
        shutil.rmtree(backup)


def story(here: Platform, backup: Path) -> None:
    app = here.app("hello")
    (app / "perron.toml").write_text(KEEP)
    here.perron("deploy", str(app), "-a", "hello", "--create")
    run(here, "head -c 150000000 /dev/zero > /data/zeros; echo old > /data/word")
    here.perron("platform", "backup", "--volumes", "--to", str(backup))
    run(here, "rm /data/zeros; echo new > /data/word")
    ballast = here.folder / "ballast"
    fill(ballast, leave=10 * MIB)
    said = refused(here, backup)
    must("must stay free" in said, said)
    must(here.pid("serve") and here.pid("agent"), "refused at once, nothing was stopped")
    ballast.unlink()
    fill(ballast, leave=100 * MIB)  # enough for what the archives have, not for what is in them
    said = refused(here, backup)
    must("is full" in said and "as before" in said and "perron up" in said, said)
    is_as_before(here)
    ballast.unlink()
    here.perron("platform", "restore", str(backup), "--replace")
    here.perron("up")
    wait_until(lambda: here.status("hello.localhost") == 200, 60)
    must(run(here, "cat /data/word") == "old", "with room it is put in place")


def is_as_before(here: Platform) -> None:
    here.perron("up")
    wait_until(lambda: here.status("hello.localhost") == 200, 60)
    must(run(here, "cat /data/word") == "new", "the volume is as it was")
    for name in ("perron.db", "node.db"):
        with closing(sqlite3.connect(here.home / name)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
        must(found == "ok", f"{name}: {found}")
    left = [
        str(each)
        for each in here.home.rglob(".*")
        if each.name.endswith((".half", ".restored", ".incoming"))
    ]
    must(not left, f"nothing half is left: {left}")


def run(here: Platform, script: str) -> str:
    return here.perron("run", "-a", "hello", "--", "sh", "-c", script).stdout.strip()


def refused(here: Platform, backup: Path) -> str:
    done = here.perron("platform", "restore", str(backup), "--replace", check=False)
    must(done.returncode == 1 and "Traceback" not in done.stderr, done.stderr)
    return done.stderr


def fill(ballast: Path, *, leave: int) -> None:
    """Take all of the disk but so much."""
    with ballast.open("ab", buffering=0) as file:
        while (free := shutil.disk_usage(ballast).free) > leave:
            file.write(bytes(min(MIB, free - leave)))


def must(holds: object, what: str) -> None:
    if not holds:
        sys.exit(f"it does not hold: {what}")


main()
