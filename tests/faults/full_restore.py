"""Run in a mount namespace of its own: a backup is put back on a disk that gets full meanwhile."""

import json
import shutil
import tempfile
from pathlib import Path

from small_disk import MIB, fill, must, must_be_whole, on_small_disk

from tools.rig.platform import Platform, wait_until

SIZE, RESERVE = 500 * MIB, 20 * MIB
KEEP = '[volumes.data]\nmount = "/data"\nsize = "200M"\n'


def main() -> None:
    backup = Path(tempfile.mkdtemp(prefix="perron-", dir="/tmp"))
    try:
        with on_small_disk(SIZE, reserve=RESERVE) as made:
            story(made.up(), backup / "whole")
            print(json.dumps({"all": "well"}))
    finally:
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
    must_be_whole(here)
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


main()
