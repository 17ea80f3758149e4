"""A hundred apps with two instances each: what they cost at rest, and how fast they come back."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tools.rig.platform import Platform, platform, wait_until

from . import loops
from .figure import Figure, cpu_seconds, family, pss

APPS = int(os.environ.get("APPS", "100"))


def idle() -> list[Figure]:
    """Measure CPU and memory of server and agent while nobody asks for anything."""
    with platform() as here:
        _populate(here)
        time.sleep(20)
        pids = family(here.pid("serve")) + family(here.pid("agent"))
        before, seconds = cpu_seconds(pids), 30.0
        time.sleep(seconds)
        share = (cpu_seconds(pids) - before) / seconds * 100
        memory = pss(pids)
    return [
        Figure(f"server and agent at rest, {APPS} apps, {2 * APPS} instances: CPU", "≤ 3 %",
               f"{share:.1f} %", [share]),
        Figure("… memory (PSS)", "≤ 200 MB", f"{memory:.0f} MB", [memory]),
    ]  # fmt: skip


def revival() -> list[Figure]:
    """Kill everything, then time ``perron up`` until all answer; against shell loops.

    A team's small app is ``hello``; ``site`` costs the least an instance can.
    """
    return [each for app in ("hello", "site") for each in _revival(app)]


def _revival(app: str) -> list[Figure]:
    with platform() as here:
        _populate(here, app)
        instances = here.home / "node" / "instances"
        any_one = next(instances.iterdir())
        plain, sandboxed = loops.plain(any_one, 2 * APPS), loops.sandboxed(any_one, 2 * APPS)
        for pid in [*here.leftovers(), *here.instance_pids("")]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not here.instance_pids(""), 60)
        began = time.monotonic()
        here.perron("up")
        for number in range(APPS):
            wait_until(lambda number=number: here.status(f"app{number}.localhost") == 200, 120)
        for port in loops.ports(instances):
            wait_until(lambda port=port: loops.answers(port), 120)
        took = time.monotonic() - began
    name = f"{2 * APPS} × {app} ({plain.each:.3f} CPU-s each) after everything was killed"
    return [
        Figure(f"{name}: up → all answer", "≤ 20 s", f"{took:.1f} s", [took]),
        _against("a shell loop", "≤ 2", took, plain.seconds),
        _against("a shell loop over the same sandbox", "", took, sandboxed.seconds),
    ]


def _against(what: str, wanted: str, took: float, loop: float) -> Figure:
    text = f"{took / loop:.1f} × ({loop:.1f} s)"
    return Figure(f"… against {what} starting the same", wanted, text, [took / loop])


def _populate(here: Platform, app: str = "site") -> None:
    folder = here.app(app)

    def deploy(number: int) -> None:
        here.perron("deploy", str(folder), "-a", f"app{number}", "--create")
        here.perron("scale", "-a", f"app{number}", "web=2")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deploy, range(APPS)))
