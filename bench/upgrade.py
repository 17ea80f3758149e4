"""What visitors lose while a platform is upgraded, and how long that takes."""

import tempfile
import time
from pathlib import Path

from tools.rig import Load, Platform
from tools.rig.older import SLOT, NotAssessed, installed, typed
from tools.rig.platform import wait_until

from .figure import Figure


def under_load() -> list[Figure]:
    """Upgrade from the older version with visitors of every kind there all along."""
    names = ("requests lost in a platform upgrade", "0"), ("perron up with newer code", "—")
    with tempfile.TemporaryDirectory(prefix="pr", dir="/tmp") as folder:
        try:
            where = installed(Path(folder))
        except NotAssessed as why:
            return [Figure(name, wanted, str(why)) for name, wanted in names]
        here = Platform(PERRON_SLOT=SLOT)
        try:
            typed(here, where, "up")
            typed(here, where, "deploy", str(here.app("load")), "-a", "shop", "--create")
            tally, seconds = _upgraded(here)
        finally:
            here.close()
    lost = float(sum(tally.lost.values()))
    said = f"{lost:.0f} of {tally.requests:,}", f"{seconds:.1f} s"
    return [
        Figure(name, wanted, here, [value])
        for (name, wanted), here, value in zip(names, said, (lost, seconds), strict=True)
    ]


def _upgraded(here: Platform):
    with Load(here.http_port, "shop.localhost") as load:
        wait_until(lambda: load.tally.requests > 200, 60)
        began = time.monotonic()
        here.perron("up", timeout=400)
        seconds = time.monotonic() - began
        seen = load.tally.requests
        wait_until(lambda: load.tally.requests > seen + 200, 60)
        return load.stop(), seconds
