"""The platform's own processes: started for good, found by their locks, and kept alive."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

from perron.kit import lock, written
from perron.kit.settings import Home
from perron.kit.written import Code

from . import units

NAMES = ("agent", "serve")
OTHER = {"agent": "serve", "serve": "agent"}
UMASK = 0o022  # the server's own is stricter: an agent with that makes what no app can enter
LOOK_EVERY = 1.0  # seconds between two looks at the other process


def lock_of(home: Home, name: str) -> Path:
    """Return the lock file that the process called ``name`` holds while it lives."""
    return home.run / f"{name}.lock"


def pid_of(home: Home, name: str) -> int | None:
    """Return the living process of that name, if there is one."""
    return lock.holder(lock_of(home, name))


def is_down_wished(home: Home) -> bool:
    """Say whether ``perron down`` was the last word."""
    return (home.run / "down").exists()


def wish_down(home: Home, *, down: bool) -> None:
    """Write down whether server and agent shall stay stopped."""
    marker = home.run / "down"
    if down:
        marker.touch(mode=0o600)
    else:
        marker.unlink(missing_ok=True)


def start(home: Home, name: str, code: Code | None = None) -> "subprocess.Popen[bytes]":
    """Start a process of the platform that outlives us; what it says goes to its log.

    ``code`` is which Perron is started: ours, where none is given.
    """
    command = code.command if code else (sys.executable, *written.MAIN)
    environment = os.environ | {"PERRON_HOME": str(home.path)}
    if code:
        environment["PYTHONPATH"] = code.path
    descriptor = os.open(home.logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            [*command, name],
            stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor,
            cwd=home.path, env=environment, start_new_session=True, umask=UMASK,
        )  # fmt: skip
    finally:
        os.close(descriptor)


def stop(home: Home, name: str, *, within: float = 15.0) -> bool:
    """End the process politely, by force when it takes too long; say whether it ran."""
    pid = pid_of(home, name)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    if not wait_for(lambda: pid_of(home, name) != pid, within):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid_of(home, name) != pid, 5.0)
    return True


def stop_all(home: Home) -> bool:
    """End server and agent for as long as ``down`` is wished; say whether any of them ran.

    One of them may just have been starting the other, which has no lock yet.
    """
    with ThreadPoolExecutor() as pool:  # the agent's end ends the server's long question to it
        ran = any(list(pool.map(lambda name: stop(home, name), NAMES)))
    for pid in _starting(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        ran = True
    return ran


def wait_for(is_so: Callable[[], object], within: float, *, every: float = 0.02) -> bool:
    """Look until it is so; false when it was not within so many seconds."""
    end = monotonic() + within
    while not is_so():
        if monotonic() > end:
            return False
        sleep(every)
    return True


def keep_other(home: Home, own: str, stop_keeping: Event) -> Thread | None:
    """Start a thread that brings the other process back when it is gone and nobody said down.

    None under systemd, which brings each of them back by itself.
    """
    if units.is_supervised():
        return None
    thread = Thread(target=_keep, args=(home, OTHER[own], stop_keeping), daemon=True)
    thread.start()
    return thread


def _keep(home: Home, name: str, stop_keeping: Event) -> None:
    child: subprocess.Popen[bytes] | None = None
    while not stop_keeping.wait(LOOK_EVERY):
        if child and child.poll() is None and pid_of(home, name) is None:
            continue  # it is on its way
        if pid_of(home, name) is None and not is_down_wished(home):
            child = start(home, name)


def _starting(home: Home) -> list[int]:
    """Return processes that are to become this home's server or agent."""
    told, ends = os.fsencode(f"PERRON_HOME={home.path}"), {b"serve", b"agent"}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            is_ours = told in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if is_ours and words[-2:-1] == [b"perron.server.main"] and words[-1] in ends:
            found.append(int(entry.name))
    return found
