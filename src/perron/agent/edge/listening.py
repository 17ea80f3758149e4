"""Listens to HAProxy's workers: to the present one, and to those that only finish."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from itertools import count

from . import admin, ring
from .process import Process
from .router import Router

_PATIENCE = 0.05
log = logging.getLogger(__name__)


class Listener:
    """Brings the access lines of every worker to the router, from where that was told last."""

    def __init__(self, process: Process, router: Router, up: asyncio.Event) -> None:
        self._process = process
        self._router = router
        self._up = up
        self._other_worker = asyncio.Event()

    def look_again(self) -> None:
        """Note that there is another worker."""
        self._other_worker.set()

    async def run(self) -> None:
        """Read the access ring of every worker for as long as the agent runs."""
        readers: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                await self._up.wait()
                self._other_worker.clear()
                readers = {name: task for name, task in readers.items() if not task.done()}
                try:
                    worker = self._process.name_of(await admin.worker(self._process.socket))
                except admin.EdgeAway:
                    await asyncio.sleep(_PATIENCE)
                    continue
                await _persist(self._router.forget_others, {worker, *readers})
                if worker not in readers:
                    readers[worker] = asyncio.create_task(self._read(worker))
                await self._change_of_worker(readers.values())
        finally:
            for task in readers.values():
                task.cancel()
            await asyncio.gather(*readers.values(), return_exceptions=True)

    async def _change_of_worker(self, readers: Iterable[asyncio.Task[None]]) -> None:
        """Return when a worker has ended or begun."""
        begun = asyncio.create_task(self._other_worker.wait())
        try:
            await asyncio.wait({begun, *readers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()

    async def _read(self, worker: str) -> None:
        """Keep what one worker tells until it ends."""
        try:
            async for data in ring.read(self._process.socket, self._router.place(worker)):
                await asyncio.shield(_persist(self._router.take, worker, data))
        except admin.EdgeAway:
            await asyncio.sleep(_PATIENCE)


async def _persist(work: Callable[..., Awaitable[None]], *arguments: object) -> None:
    """Write access lines down; with a full disk they wait, and HAProxy counts what it drops."""
    for number in count():
        try:
            await work(*arguments)
            break
        except (OSError, sqlite3.Error) as why:
            if not number:
                log.warning("Access lines cannot be kept now and wait: %s", why)
            await asyncio.sleep(1)
