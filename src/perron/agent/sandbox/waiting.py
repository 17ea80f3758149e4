"""Waiting for processes that need not be our children, without looking twice."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_LOOK_EVERY = 0.05
_BOOT = (
    "import importlib,sys,types;"
    "package=types.ModuleType('sandbox');"
    "package.__path__=[sys.argv[1]];"
    "sys.modules['sandbox']=package;"
    "importlib.import_module('sandbox.'+sys.argv[2]).main()"
)


def start_program(
    module: str,
    files: Sequence[int],
    *,
    environment: dict[str, str],
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start one of this room's small programs: no site packages, none of our other rooms."""
    numbers = [str(each) for each in files]
    words = [sys.executable, "-I", "-S", "-c", _BOOT, str(Path(__file__).parent), module, *numbers]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and file
        words,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=stdout,
        stderr=None if stdout is None else subprocess.STDOUT,
        pass_fds=files,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


async def gone(pid: int) -> None:
    """Return when the process has ended, at once if there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await readable(descriptor)
    finally:
        os.close(descriptor)


async def readable(descriptor: int) -> None:
    """Return when there is something to read, or an end to see."""
    loop = asyncio.get_running_loop()
    seen = asyncio.Event()
    loop.add_reader(descriptor, seen.set)
    try:
        await seen.wait()
    finally:
        loop.remove_reader(descriptor)


async def gone_reaping(pid: int) -> None:
    """Return when the first process of a namespace has ended.

    The kernel holds it until every zombie inside is reaped; those of sessions whose parent was
    killed have become ours.
    """
    going = asyncio.create_task(gone(pid))
    while not (await asyncio.wait({going}, timeout=_LOOK_EVERY))[0]:
        reap_strangers()


def reap_strangers() -> None:
    """Reap what came to us from inside a sandbox; our own children are never nested."""
    for path in Path("/proc/self/task").glob("*/children"):
        for pid in path.read_text().split():
            said = _said(int(pid))
            if said and said["State"].strip()[0] == "Z" and len(said["NSpid"].split()) > 1:
                reap(int(pid))


def is_left_to_us(pid: int) -> bool:
    """Say whether a process from inside a sandbox has become our child, as its shim is gone."""
    said = _said(pid)
    return bool(said) and int(said["PPid"]) == os.getpid() and len(said["NSpid"].split()) > 1


def reap(pid: int) -> None:
    """Take leave of a child that ended; one of somebody else's is theirs."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _said(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":", 1) for line in lines)
