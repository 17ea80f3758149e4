"""Run in a mount namespace of its own: a platform on a small disk, which gets full."""

import json
from pathlib import Path

from small_disk import MIB, fill, must, must_be_whole, on_small_disk

from tools.rig.audit import settle
from tools.rig.platform import Platform, wait_until

SIZE, RESERVE = 400 * MIB, 150 * MIB


def main() -> None:
    with on_small_disk(SIZE, reserve=RESERVE) as made:
        story(made.up())
        print(json.dumps({"all": "well"}))


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
    must_be_whole(here)


def change(app: Path, what: str) -> None:
    (app / "changed").write_text(what)


main()
