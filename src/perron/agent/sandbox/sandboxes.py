"""All sandboxes of one agent: started by a launcher, found again by their state folders."""

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from perron.kit.problems import Permanent, Temporary

from . import cgroups, running
from .arguments import HOST_ENVIRONMENT, Unusable, check_environment
from .cgroups import Groups
from .landlock import libc
from .promises import find_bwrap, tier
from .running import Running
from .spec import Ending, SandboxSpec
from .status import Status, await_start, has_ended, lock, parent_of, read_status, shim_lives
from .waiting import readable, reap, start_program

_SET_CHILD_SUBREAPER = 36
_AT_ONCE = 8
_START_TIMEOUT = 30.0
_FIRST_LOOK, _LAST_LOOK = 0.01, 0.1  # seconds, while bwrap starts
_LOOK_EVERY = 10.0  # at memory, where no control group bounds it


class Sandboxes:
    """Starts sandboxes and finds those of an agent that is gone.

    ``cgroup`` names the control group that holds them all. ``trusted``: where no sandbox can be
    made, apps run without one. ``close`` ends the launcher alone:
    what it started goes on.
    """

    def __init__(
        self,
        *,
        bwrap: str = "",
        cgroup: str,
        look_every: float = _LOOK_EVERY,
        trusted: bool = False,
    ) -> None:
        self._bwrap = find_bwrap(bwrap)
        self._cgroup = cgroup
        self._trusted = trusted
        self._look_every = look_every
        self._groups = Groups()
        self._launcher: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._watched: dict[Path, Running] = {}
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Get ready; whatever outlives a killed launcher becomes this process's to reap."""
        libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        await asyncio.to_thread(tier, self._bwrap)
        self._groups = cgroups.prepare(cgroups.own(), self._cgroup)
        self._start_launcher()
        if self._groups.mode == "none":
            self._watch = asyncio.create_task(self._watch_memory())

    async def tidy(self, states: Iterable[Path]) -> None:
        """Remove empty control groups of an agent before us, after the starts it had asked for."""
        for state in states:
            await asyncio.to_thread(await_start, state)
        cgroups.sweep(self._groups)

    def dissolve(self) -> None:
        """Remove the control group that held them all, when nothing runs in it any more."""
        groups = self._groups if self._groups.folders else cgroups.own().child(self._cgroup)
        cgroups.sweep(groups)
        cgroups.remove(groups)

    async def close(self) -> None:
        """End the launcher; sandboxes go on."""
        if self._watch:
            self._watch.cancel()
        self._end_launcher()

    async def start(
        self,
        spec: SandboxSpec,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        stdin: int | None = None,
    ) -> Running:
        """Start a sandbox; Permanent when it never can, Temporary when it may another time."""
        self._check(spec, argv, env)
        groups = self._groups.child(_group_name(spec.state))
        request = {
            "spec": spec.to_json(),
            "argv": list(argv),
            "env": dict(env),
            "command": _command(argv),
            "bwrap": self._bwrap,
            "tier": tier(self._bwrap),
            "groups": {"mode": groups.mode, "folders": groups.folders},
        }
        async with self._turns:
            await self._clear(Path(spec.state))
            said = await self._ask(request, stdin)
            return await self._started(spec, said)

    def find(self, state: Path) -> Running | Ending | None:
        """Return what runs in a state folder, or how it ended; None: nothing was started there."""
        found = running.find(state)
        if isinstance(found, Running):
            self._notice(found)
            if found.spec.die_with_parent and not self._is_ours(found):
                found.strike()  # it should have ended with its agent
        return found

    def _is_ours(self, found: Running) -> bool:
        return self._launcher is not None and parent_of(found.pid) == self._launcher.pid

    def _check(self, spec: SandboxSpec, argv: Sequence[str], env: Mapping[str, str]) -> None:
        is_bare = tier(self._bwrap) == "C"
        if is_bare and not self._trusted:
            raise Permanent(
                "No sandbox can be made on this machine, so no app is started. See what is missing "
                "with perron doctor, or run trusted apps without one: perron up --trusted"
            )
        if not argv or any("\0" in each for each in argv):
            raise Permanent("There is no command to run, or it holds a NUL character.")
        if os.getuid() == 0 and spec.uid <= 0 and not is_bare:
            raise Permanent("A sandbox started by root needs a uid of its own.")
        try:
            check_environment(env)
        except Unusable as why:
            raise Permanent(str(why)) from None

    async def _clear(self, state: Path) -> None:
        """End what a start that nobody waited for may have left: two would be worse than none."""
        stray = await asyncio.to_thread(running.find, state)
        if isinstance(stray, Running):
            await stray.kill()

    async def _ask(self, request: Mapping[str, Any], stdin: int | None) -> dict[str, Any]:
        """Hand the request over; once more when the launcher was killed before it forked."""
        for _ in range(2):
            if self._launcher is None or self._launcher.poll() is not None:
                self._start_launcher()
            said = await self._exchange(request, stdin)
            if "pid" in said or "problem" in said:
                return said
            self._end_launcher()
        raise Temporary("The launcher of sandboxes did not answer; it is started again.")

    async def _exchange(self, request: Mapping[str, Any], stdin: int | None) -> dict[str, Any]:
        held = lock(Path(request["spec"]["state"]))
        if held is None:
            raise Temporary("Another start of the same sandbox is under way. Try again.")
        reading, report = os.pipe()
        content = os.memfd_create("request", os.MFD_CLOEXEC)
        try:
            os.set_blocking(reading, False)
            with open(content, "wb", closefd=False) as file:
                file.write(json.dumps(request).encode())
            os.lseek(content, 0, os.SEEK_SET)
            files = [content, report, held] + ([] if stdin is None else [stdin])
            if self._channel is None or not _send(self._channel, files):
                return {}
            for each in (report, held):  # ours must be closed, or their end is never seen
                os.close(each)
            report = held = -1
            return await asyncio.wait_for(_read_lines(reading), _START_TIMEOUT)
        except TimeoutError:
            raise Temporary(
                "A sandbox took more than 30 s to start; the machine is too busy."
            ) from None
        finally:
            for each in (reading, content, report, held):
                if each >= 0:
                    os.close(each)

    async def _started(self, spec: SandboxSpec, said: Mapping[str, Any]) -> Running:
        if problem := said.get("problem"):
            raise (Permanent if said.get("permanent") else Temporary)(
                f"{spec.name} could not be started: {str(problem).rstrip('.')}."
            )
        status = await _begun(Path(spec.state))
        if status is None or status.shim != said.get("pid"):
            raise Temporary(f"{spec.name} ended before it began. Try again.")
        started = Running(Path(spec.state), status)
        self._notice(started)
        return started

    def _notice(self, found: Running) -> None:
        if self._groups.mode == "none" and found.spec.memory:
            self._watched[found.state] = found

    async def _watch_memory(self) -> None:
        """End what uses more memory than it may: late, so this is called watched."""
        while True:
            await asyncio.sleep(self._look_every)
            for state, each in list(self._watched.items()):
                used = each.usage().memory
                if used is None:
                    del self._watched[state]
                elif each.spec.memory and used > each.spec.memory:
                    each.over_memory = True
                    each.strike()

    def _start_launcher(self) -> None:
        self._end_launcher()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            environment = dict(HOST_ENVIRONMENT)
            self._launcher = start_program("launcher", [theirs.fileno()], environment=environment)
        self._channel = ours

    def _end_launcher(self) -> None:
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._launcher:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._launcher.wait(timeout=5)
            self._launcher = None


def clean(state: Path) -> None:
    """Remove the control groups left for a sandbox that has ended."""
    status = read_status(state)
    if status and has_ended(status):
        cgroups.kill(status.groups)
        cgroups.remove(status.groups)
        reap(status.shim)


def _send(channel: socket.socket, files: Sequence[int]) -> bool:
    try:
        socket.send_fds(channel, [b"start"], files)
    except OSError:
        return False
    return True


async def _begun(state: Path) -> Status | None:
    """Return the status when bwrap has told of its first process, or is gone."""
    pause, until = _FIRST_LOOK, time.monotonic() + _START_TIMEOUT
    while (status := read_status(state)) and status.child is None and shim_lives(status):
        if time.monotonic() > until:
            break
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LAST_LOOK)
    return status


async def _read_lines(descriptor: int) -> dict[str, Any]:
    """Read until the end what a starting sandbox tells."""
    text = b""
    while True:
        await readable(descriptor)
        part = os.read(descriptor, 65_536)
        if not part:
            break
        text += part
    said: dict[str, Any] = {}
    for line in text.splitlines():
        said |= json.loads(line)
    return said


def _group_name(state: str) -> str:
    """Name a control group for a state folder; two of the same name must not meet in one."""
    return f"{Path(state).name}.{hashlib.sha256(state.encode()).hexdigest()[:8]}"


def _command(argv: Sequence[str]) -> str:
    """Name the program for messages; words that could hold a secret are left out."""
    words = list(argv)
    if len(words) == 3 and words[1] == "-c" and words[0].endswith("sh"):
        words = words[2].removeprefix("exec ").split()
    return words[0] if words and "=" not in words[0] and len(words[0]) < 100 else ""
