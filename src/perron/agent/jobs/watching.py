"""A sandbox that runs for a job: started or taken over, bounded in time and disk, and ended."""

import asyncio
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from perron.agent import builds
from perron.agent.sandbox import Ending, Running, SandboxSpec, clean
from perron.contract.node import Exit
from perron.kit import clock
from perron.kit.problems import Temporary

from .model import Phase
from .rooms import Live, Rooms

LOOK_EVERY = 2.0
LOOK_SHARE = 20  # looking at the disk may take a twentieth of the time
GRACE = 5.0
TRIES = 5
PAUSE = 0.5


async def taken_over(rooms: Rooms, live: Live, phase: Phase) -> Running | Ending | None:
    """Return what an earlier agent left of a phase: running, ended, or nothing."""
    if live.job.phase is not phase:
        return None
    state = rooms.state(live.job.name, phase)
    found = await asyncio.to_thread(rooms.sandboxes.find, state)
    return None if isinstance(found, Ending) and not _began(found, state) else found


async def start(
    rooms: Rooms,
    live: Live,
    phase: Phase,
    spec: SandboxSpec,
    argv: Sequence[str],
    env: Mapping[str, str],
) -> Running:
    """Start a phase; that it begins is written down before, so that it is looked for after."""
    live.note(phase=phase)
    for attempt in range(TRIES):
        try:
            return await rooms.sandboxes.start(spec, argv, env)
        except Temporary:
            if attempt == TRIES - 1:
                raise
            await asyncio.sleep(PAUSE)
    raise AssertionError("unreachable")


async def until_ended(
    rooms: Rooms, live: Live, running: Running, *, work: Path | None = None
) -> Exit:
    """Wait for the end; end it ourselves when it takes too long or ``work`` grows too large."""
    live.running = running
    ended = asyncio.ensure_future(running.wait())
    if live.job.cancelled:
        await end(running)
    deadline = time.monotonic() + _left(live)
    pause, reason = LOOK_EVERY, ""
    try:
        while not ended.done():
            left = deadline - time.monotonic()
            await asyncio.wait({ended}, timeout=max(0.0, min(left, pause if work else left)))
            if ended.done():
                break
            began = time.monotonic()
            reason = await _too_much(rooms, live, deadline, work)
            pause = max(LOOK_EVERY, LOOK_SHARE * (time.monotonic() - began))
            if reason:
                await end(running)
                await ended
        return told(await ended, live, reason)
    finally:
        live.running = None
        if ended.done():
            clean(running.state)


async def end(running: Running) -> None:
    """Ask it to end; after five seconds end all of it."""
    running.terminate()
    ended = asyncio.ensure_future(running.wait())
    done, _ = await asyncio.wait({ended}, timeout=GRACE)
    if not done:
        await running.kill()
    await ended


def told(ending: Ending, live: Live, reason: str = "") -> Exit:
    """Return an ending as it is reported; our own reason for ending it comes first."""
    cancelled = "cancelled" if live.job.cancelled and ending.code != 0 else ""
    return Exit(
        at=ending.at,
        code=ending.code if not reason or ending.code != 0 else None,
        signal=ending.signal,
        out_of_memory=ending.out_of_memory,
        text=reason or cancelled or ending.text,
    )


def refused(text: str) -> Exit:
    """Return the end of a job that came to nothing before it ran."""
    return Exit(at=clock.now(), text=text)


def _began(ending: Ending, state: Path) -> bool:
    """Say whether a sandbox that ended ever held a process: its start dies with the agent."""
    return ending.code is not None or b"child-pid" in (state / "status").read_bytes()


def _left(live: Live) -> float:
    started = live.job.started or clock.now()
    return live.job.spec.timeout - (clock.now() - started).total_seconds()


async def _too_much(rooms: Rooms, live: Live, deadline: float, work: Path | None) -> str:
    if time.monotonic() >= deadline:
        return f"took longer than {live.job.spec.timeout:.0f} s, the limit for this"
    if work is None:
        return ""
    free = shutil.disk_usage(work).free
    if free < rooms.settings.disk_reserve:
        return (
            f"the disk has only {free / 1e9:.2f} GB left, and "
            f"{rooms.settings.disk_reserve / 1e9:.1f} GB must stay free; make room and deploy again"
        )
    taken = await asyncio.to_thread(builds.used, work)
    if taken > rooms.settings.build_disk:
        return (
            f"used {taken / 1e9:.1f} GB of disk, more than the "
            f"{rooms.settings.build_disk / 1e9:.1f} GB a build may"
        )
    return ""
