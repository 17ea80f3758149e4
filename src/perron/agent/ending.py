"""Ends everything of this home, with no agent running: instances, jobs and the edge."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from perron.kit.problems import Temporary
from perron.kit.settings import Home, Settings

from .edge import Edge
from .sandbox import Running, Sandboxes, clean

GRACE = 10.0  # seconds between asking and ending
FOLDERS = ("instances/*/status", "jobs/*/status", "jobs/*/*/status")


async def end_everything(home: Home, settings: Settings) -> int:
    """Stop every sandbox, then the edge; return how many sandboxes ran."""
    sandboxes = Sandboxes(bwrap=settings.bwrap, cgroup=settings.cgroup)
    found = [sandboxes.find(state) for state in _states(home)]
    living = [each for each in found if isinstance(each, Running)]
    await asyncio.gather(*(_end(each) for each in living))
    await Edge(home, settings).stop()
    return len(living)


def _states(home: Home) -> Iterator[Path]:
    for pattern in FOLDERS:
        yield from (status.parent for status in home.node.glob(pattern))


async def _end(running: Running) -> None:
    """Ask the app to end, and end it when it has not within its time of grace."""
    running.terminate()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(running.wait(), GRACE)
    with contextlib.suppress(Temporary):
        await running.kill()
    clean(running.state)
