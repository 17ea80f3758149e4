"""A hundred apps with two instances each: what they cost at rest, and how fast they come back."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from tools.rig.platform import Platform, platform, wait_until

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
    """Kill everything, then time ``perron up`` until every app answers; against a shell loop."""
    with platform() as here:
        _populate(here)
        commands = _commands(here)
        for pid in here.leftovers():
            os.kill(pid, signal.SIGKILL)
        for pid in here.instance_pids(""):
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        began = time.monotonic()
        here.perron("up")
        wait_until(lambda: all(here.status(f"app{n}.localhost") == 200 for n in range(APPS)), 120)
        took = time.monotonic() - began
    loop = _shell_loop(commands)
    return [
        Figure(f"{2 * APPS} instances after everything was killed: up → all answer", "≤ 20 s",
               f"{took:.1f} s", [took]),
        Figure("… against a shell loop starting the same", "≤ 2", f"{took / loop:.1f}",
               [took / loop]),
    ]  # fmt: skip


def _populate(here: Platform) -> None:
    folder = here.app("site")

    def deploy(number: int) -> None:
        here.perron("deploy", str(folder), "-a", f"app{number}", "--create")
        here.perron("scale", "-a", f"app{number}", "web=2")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deploy, range(APPS)))


def _commands(here: Platform) -> int:
    return len(here.instance_pids(""))


def _shell_loop(_count: int) -> float:
    """Start as many small web servers from a shell, and wait until each listens."""
    began = time.monotonic()
    script = (
        f"for n in $(seq {2 * APPS}); do "
        'python3 -S -c \'import socket,time; s=socket.socket(); s.bind(("127.0.0.1",0)); '
        "s.listen(); print(1, flush=True); time.sleep(60)' & done | head -n "
        f"{2 * APPS} >/dev/null; kill $(jobs -p)"
    )
    subprocess.run(["bash", "-c", script], check=False, capture_output=True)
    return time.monotonic() - began
