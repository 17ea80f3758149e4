"""A hundred apps with two instances each: what they cost at rest, and how fast they come back."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from perron.cli import packing
from perron.client import Client, Login, Place, find_login, verbs
from tools.rig.platform import Platform, platform, wait_until

from . import loops
from .figure import Figure, busy_seconds, cpu_seconds, family, pss
from .loops import Loop

APPS = int(os.environ.get("APPS", "100"))
APP = os.environ.get("APP", "hello")  # a team's small app; ``site`` costs the least there is


def idle() -> list[Figure]:
    """Measure CPU and memory of server and agent while nobody asks for anything."""
    with platform() as here:
        _populate(here, "site")
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
    """Kill everything, then time ``perron up`` until all answer; against shell loops."""
    with platform() as here:
        _populate(here, APP)
        any_one = next((here.home / "node" / "instances").iterdir())
        # The better of two: the first may have to read from the disk what the rest finds read.
        plain, sandboxed = (
            min((loop(any_one, 2 * APPS) for _ in range(2)), key=lambda each: each.seconds)
            for loop in (loops.plain, loops.sandboxed)
        )
        took = _revive(here)
    name = f"{2 * APPS} × {APP} ({plain.each:.3f} CPU-s each) after everything was killed"
    spent = [each.busy for each in (took, plain, sandboxed)]
    text = "{:.1f} (the loop: {:.1f}, over the same sandbox: {:.1f})".format(*spent)
    return [
        Figure(f"{name}: up → all answer", "≤ 20 s", f"{took.seconds:.1f} s", [took.seconds]),
        _against("a shell loop", "≤ 2", took, plain),
        _against("a shell loop over the same sandbox", "", took, sandboxed),
        Figure("… CPU-seconds of the whole machine meanwhile", "", text, spent),
    ]


def _revive(here: Platform) -> Loop:
    wait_until(lambda: not _killed(here), 60)
    began, before = time.monotonic(), busy_seconds()
    here.perron("up")
    _await_all(here)
    return Loop(time.monotonic() - began, 0.0, busy_seconds() - before)


def _killed(here: Platform) -> list[int]:
    """Kill everything there is, first those who would start it again; return what there was."""
    keepers = [pid for pid in (here.pid("serve"), here.pid("agent")) if pid]
    found = [*keepers, *here.leftovers(), *here.instance_pids("")]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def _await_all(here: Platform) -> None:
    """Wait until every app answers its visitors, and every instance on its own port."""
    for number in range(APPS):
        wait_until(lambda number=number: here.status(f"app{number}.localhost") == 200, 120)
    for port in loops.ports(here.home / "node" / "instances"):
        wait_until(lambda port=port: loops.answers(port), 120)


def _against(what: str, wanted: str, took: Loop, loop: Loop) -> Figure:
    times = took.seconds / loop.seconds
    text = f"{times:.1f} × ({loop.seconds:.1f} s)"
    return Figure(f"… against {what} starting the same", wanted, text, [times])


def _populate(here: Platform, app: str) -> None:
    """Deploy everything through the API: a command for each would cost more than the deploys."""
    login = find_login(here.environment)
    with packing.packed(here.app(app)) as pack, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _deploy(login, f"app{number}", pack.archive), range(APPS)))
    wait_until(lambda: len(loops.ports(here.home / "node" / "instances")) >= 2 * APPS, 120)
    _await_all(here)


def _deploy(login: Login, name: str, archive: Path) -> None:
    client, place = Client.signed_in(login, lambda _: None), Place(name, "production")
    try:
        verbs.create_app(client, name)
        source = verbs.send_source(client, name, archive)["digest"]
        asked = {"source": source, "root": ".", "provenance": {"origin": "bench"}}
        release = verbs.deploy(client, place, asked)["number"]
        wait_until(lambda: verbs.release(client, place, release)["state"] == "live", 300, name)
        verbs.change_scale(client, place, {"web": 2})
    finally:
        client.close()
