"""An upgrade under load, and the way back: the first landed version, then this one."""

import tempfile
from pathlib import Path

from stage import must, show, wait_until

from tools.rig import Load, Platform
from tools.rig.older import SLOT, NotAssessed, installed, typed


def under_load(here: Platform, *words: str) -> None:
    """Type a command of this version while visitors are there, and count what they lose."""
    with Load(here.http_port, "shop.localhost") as load:
        wait_until(lambda: load.tally.requests > 200, 60)
        print(here.perron(*words, timeout=400).stderr)
        seen = load.tally.requests
        wait_until(lambda: load.tally.requests > seen + 200, 60)
        tally = load.stop()
    show(str(tally))
    must(not tally.lost, f"perron {' '.join(words)}: no visitor lost a request")


def main() -> None:
    """Show it."""
    with tempfile.TemporaryDirectory(prefix="pr", dir="/tmp") as folder:
        try:
            where = installed(Path(folder))
        except NotAssessed as why:
            show(str(why))
            return
        here = Platform(PERRON_SLOT=SLOT)
        try:
            typed(here, where, "up")
            print(typed(here, where, "deploy", str(here.app("load")), "-a", "shop", "--create"))
            under_load(here, "up")
            print(here.perron("status").stdout)
            under_load(here, "platform", "rollback")
            print(typed(here, where, "status"))
        finally:
            here.close()


if __name__ == "__main__":
    main()
