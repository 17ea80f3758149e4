"""A sandbox that runs, whoever started it: found, watched, measured, signalled, ended."""

import asyncio
import contextlib
import os
import select
import signal
from datetime import UTC, datetime
from pathlib import Path

from perron.kit import clock
from perron.kit.problems import Temporary

from . import cgroups, trees
from .spec import Ending, Usage, describe, signal_of
from .status import (
    Status,
    append,
    await_start,
    children,
    inside_lives,
    read_spec,
    read_status,
    shim_lives,
    strays,
)
from .waiting import gone, gone_reaping, is_left_to_us, reap, reap_strangers

_PATIENCE = 5.0
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
_MOMENT = 0.02


class Running:
    """A sandbox that was alive when this was made.

    ``pid`` is the outer bwrap, which waits; ``child`` is the first process inside.
    """

    def __init__(self, state: Path, status: Status) -> None:
        self.state = state
        self.spec = read_spec(state)
        self.name = self.spec.name
        self.pid = status.shim
        self.started = datetime.fromisoformat(status.started)
        self.over_memory = False
        self._status = status
        self._noticed = 0
        self._ended: asyncio.Task[Ending] | None = None

    @property
    def child(self) -> int | None:
        """The first process inside; None for a moment while bwrap starts."""
        return self._known().child

    async def wait(self) -> Ending:
        """Return how it ended, when it has; afterwards nothing of it is left."""
        if self._ended is None:
            self._ended = asyncio.create_task(self._watch())
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        """Ask the app's own processes to end."""
        self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Signal the app's own processes; the first process inside would ignore it."""
        status = self._known()
        if status.child is None and number in _ENDS and shim_lives(status):
            _kill(status.shim)  # nothing of the app has begun
        if not inside_lives(status) or status.child is None:
            return
        apps = children(status.child)
        for each in apps:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)
        if not apps and number in _ENDS:
            _kill(status.child)  # it has not come to start the app yet

    async def kill(self) -> None:
        """End everything inside at once, and return when nothing is left."""
        ended = asyncio.ensure_future(self.wait())
        for shim_too in (False, True):
            self.strike(shim_too=shim_too)
            done, _ = await asyncio.wait({ended}, timeout=_PATIENCE)
            if done:
                return
        ended.cancel()
        raise Temporary(f"{self.name} does not end: a process waits for a device. Try again.")

    def strike(self, *, shim_too: bool = False) -> None:
        """Send SIGKILL to the whole namespace; the shim stays, to write down the end."""
        status = self._known()
        if inside_lives(status) and status.child is not None:
            _kill(status.child)
        elif not shim_too and shim_lives(status):
            _kill(status.shim)
        if shim_too:
            cgroups.kill(status.groups)
            if shim_lives(status):
                _kill(status.shim)

    def usage(self) -> Usage:
        """Return what it uses now: from its control group, else from its processes."""
        status = self._known()
        if status.groups.mode != "none":
            return Usage(
                memory=cgroups.memory_used(status.groups),
                cpu_seconds=cgroups.cpu_used(status.groups),
                processes=cgroups.process_count(status.groups),
            )
        if status.child is None or not inside_lives(status):
            return Usage(None, None, None)
        return trees.usage(status.child)

    def out_of_memory(self) -> bool:
        """Say whether the kernel killed a process of it for want of memory since last asked."""
        kills = cgroups.memory_kills(self._status.groups) or 0
        grown, self._noticed = kills > self._noticed, kills
        return grown

    def forget_kills(self) -> None:
        """Take the kills so far as known: they are an earlier agent's news."""
        self._noticed = cgroups.memory_kills(self._status.groups) or 0

    def _known(self) -> Status:
        """What the status file tells; it is read again only while the start is not complete."""
        if self._status.child is None:
            found = read_status(self.state)
            if found and found.shim == self.pid:
                self._status = found
        return self._status

    async def _watch(self) -> Ending:
        if shim_lives(self._status):
            await gone(self.pid)
        reap(self.pid)
        status = self._known()
        lives = inside_lives(status)
        if status.child is not None and (lives or is_left_to_us(status.child)):
            if lives:
                _kill(status.child)  # what the app left behind keeps its namespace alive
            await gone_reaping(status.child)
            reap(status.child)
        for each in strays(status):
            _kill(each)
            await gone(each)
            reap(each)
        reap_strangers()
        return await self._settle()

    async def _settle(self) -> Ending:
        out_of_memory = self.over_memory or self.out_of_memory()
        groups = self._status.groups
        found = read_status(self.state)
        while found is None or found.shim == self.pid:  # else a later start has the group now
            cgroups.kill(groups)
            if cgroups.remove(groups):
                break
            await asyncio.sleep(_MOMENT)
        return conclude(self.state, self.pid, out_of_memory)


def find(state: Path) -> Running | Ending | None:
    """Return the sandbox of a state folder, or how it ended while nobody watched.

    Anything its app left behind is ended too. None: nothing was ever started there.
    """
    await_start(state)
    status = read_status(state)
    if status is None:
        return None
    if shim_lives(status) and not status.ended:
        running = Running(state, status)
        running.forget_kills()
        return running
    if not status.ended:
        end_leftovers(status)
    kills = cgroups.memory_kills(status.groups) or 0
    return conclude(state, status.shim, status.out_of_memory or kills > 0)


def end_leftovers(status: Status) -> None:
    """End what lives on in a sandbox whose shim is gone; wait for it shortly."""
    cgroups.kill(status.groups)
    inside = [status.child] if status.child is not None and inside_lives(status) else []
    for pid in inside or strays(status):
        with contextlib.suppress(ProcessLookupError):
            _end(pid)


def _end(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    try:
        _kill(pid)
        select.select([descriptor], [], [], _PATIENCE)
    finally:
        os.close(descriptor)
    reap(pid)


def conclude(state: Path, shim: int, out_of_memory: bool) -> Ending:
    """Return how a sandbox ended, from what it left; write it down the first time."""
    status = read_status(state)
    if status is None or status.shim != shim:
        return Ending(None, None, out_of_memory, clock.now(), "ended; its status file is gone")
    starved = status.out_of_memory or (out_of_memory and status.code != 0)
    at = status.ended or datetime.fromtimestamp(status.written, UTC).isoformat()
    if not status.ended:
        if status.code is None:  # the shim was killed: it was at most now
            at = clock.now().isoformat()
        with contextlib.suppress(OSError):  # a full disk: then the next to look says so again
            append(state, **{"ended": at, "out-of-memory": starved})
    text = describe(
        status.code,
        out_of_memory=starved,
        memory=read_spec(state).memory,
        command=status.command,
        problem=_problem(state, status),
    )
    name = signal_of(status.code) or ("SIGKILL" if status.code is None else None)
    return Ending(status.code, name, starved, datetime.fromisoformat(at), text)


def _problem(state: Path, status: Status) -> str:
    """bwrap tells no exit code when it could not build the sandbox; its output says why."""
    if status.problem or status.code is not None:
        return status.problem
    with contextlib.suppress(OSError), open(read_spec(state).output, "rb") as file:
        file.seek(max(os.fstat(file.fileno()).st_size - 4096, 0))
        said = file.read().decode(errors="replace").strip().splitlines()[-1:]
        if said and said[0].startswith("bwrap: "):
            return f"the sandbox could not start: {said[0].removeprefix('bwrap: ')}"
    return ""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
