"""Run in a mount namespace of its own: a platform on a small disk, which gets full."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.rig.audit import settle
from tools.rig.platform import Platform, wait_until

MIB = 1 << 20
SIZE, RESERVE = 400 * MIB, 150 * MIB


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="perron-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        sys.exit("cannot mount")
    made = Platform(folder, PERRON_DISK_RESERVE=str(RESERVE))
    try:
        story(made.up())
        print(json.dumps({"all": "well"}))
    finally:
        made.perron("down", "--apps", check=False)
        os.chdir("/")
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


def story(here: Platform) -> None:
    app = here.app("hello")
    here.perron("deploy", str(app), "-a", "hello", "--create")
    settle(here)
    ballast = here.folder / "ballast"
    fill(ballast, leave=RESERVE - 20 * MIB)
    change(app, "almost full")
    refused = here.perron("deploy", str(app), "-a", "hello", check=False)
    must(refused.returncode != 0, "a deploy is refused before the disk is full")
    must("must stay free" in refused.stderr, refused.stderr)
    must(here.status("hello.localhost") == 200, "the old release serves")
    fill(ballast, leave=0)
    done = here.perron("config", "set", "-a", "hello", "N=1", check=False)
    must(done.returncode == 0 or "disk is full" in done.stderr, done.stderr)
    must(here.status("hello.localhost") == 200, "a full disk stops no visitor")
    come_back(here, app, ballast)


def come_back(here: Platform, app: Path, ballast: Path) -> None:
    """Server and agent die on the full disk; room is made, and all goes on."""
    here.kill("serve")
    here.kill("agent")
    must(here.status("hello.localhost") == 200, "nor when server and agent die on it")
    ballast.unlink()
    wait_until(lambda: here.pid("serve") or here.perron("up", check=False).returncode == 0, 60)
    here.perron("up")
    settle(here)
    here.perron("deploy", str(app), "-a", "hello")
    settle(here)
    for name in ("perron.db", "node.db"):
        with closing(sqlite3.connect(here.home / name)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
        must(found == "ok", f"{name}: {found}")


def fill(ballast: Path, *, leave: int) -> None:
    """Take all of the disk but so much."""
    with ballast.open("ab", buffering=0) as file:
        while (free := free_of(ballast)) > leave:
            try:
                file.write(bytes(min(MIB, free - leave)))
            except OSError:
                return


def free_of(path: Path) -> int:
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize


def change(app: Path, what: str) -> None:
    (app / "changed").write_text(what)


def must(holds: object, what: str) -> None:
    if not holds:
        sys.exit(f"it does not hold: {what}")


main()
