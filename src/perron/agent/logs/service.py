"""Logs: what instances, jobs, the edge and the agent say, kept and read again."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from perron.agent.places import connectable
from perron.contract.node import LogLine, LogPage
from perron.kit import clock
from perron.kit.files import private_folder
from perron.kit.settings import Home, Settings

from .ingest import Ingest
from .model import Batch, Labels, Query
from .store import Store
from .tails import can_punch

READERS = 4
log = logging.getLogger(__name__)


class Logs:
    """The agent's logs. Files are read by a thread of its own; every method is thread-safe.

    A line is numbered when it is kept; ``read`` gives lines in the order of their numbers.
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._listeners: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._ingest: Ingest | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="logs-read")

    def open(self) -> None:
        """Begin to read what is watched."""
        folder = private_folder(self._home.node)
        punches = can_punch(folder)
        if not punches:
            log.warning("Files here cannot be emptied while written: log files keep growing.")
        self._store = Store(folder / "logs.db")
        self._ingest = Ingest(
            self._store,
            folder / "logs.alive",
            punches=punches,
            told=self.tell,
            closed=self._settings.instance_ports,
            usual=connectable(self._settings),
        )
        self._ingest.start()

    def close(self) -> None:
        """Stop reading; what is not read yet is read by the next agent."""
        self._reader().end()
        self._readers.shutdown(wait=True, cancel_futures=True)
        self.store.close()

    def watch(self, output: Path, labels: Labels) -> None:
        """Read a file's lines as they come, from where we were; again is harmless."""
        self._reader().watch(output, labels)

    def finish(self, output: Path) -> None:
        """Read a file to its very end, then forget it; it may be deleted afterwards."""
        self._reader().finish(output)

    def say(
        self,
        environment: str,
        text: str,
        *,
        process: str = "",
        instance: str = "",
        release: int | None = None,
    ) -> None:
        """Write a line of the platform's own."""
        labels = Labels(environment, "platform", process, instance, release)
        self._write([Batch(labels, text.split("\n"), [clock.now()])])

    async def read(self, query: Query, *, wait: float = 0) -> LogPage:
        """Return lines, oldest first: what follows ``after`` or ``since``, else the newest.

        With nothing to tell yet, the answer waits up to ``wait`` seconds for a line.
        """
        deadline = time.monotonic() + wait
        while True:
            listener = self._listen(query.environment)
            try:
                lines, following = await self._page(query)
                left = deadline - time.monotonic()
                if lines or left <= 0:
                    return LogPage.model_construct(lines=lines, next=following)
                query = replace(query, after=following)
                await _within(left, listener)
            finally:
                self._unlisten(query.environment, listener)

    def forget(self, environment: str) -> None:
        """Delete everything an environment ever said, and watch nothing of it."""
        self._reader().forget(environment)
        self.store.forget(environment)

    def prune(self, older_than: datetime, max_bytes: int) -> None:
        """Delete what is too old, and of each environment the oldest beyond ``max_bytes``."""
        self.store.prune(older_than, max_bytes)

    async def _page(self, query: Query) -> tuple[list[LogLine], int]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.store.page, query)

    def _write(self, batches: Sequence[Batch]) -> None:
        """Keep lines of ours; a full disk takes them, never the work they tell of."""
        try:
            self.store.write(batches)
        except sqlite3.OperationalError as why:
            count = sum(len(each.texts) for each in batches)
            log.warning("%d lines of the platform or the edge were not kept: %s", count, why)
            return
        self.tell({each.labels.environment for each in batches})

    def tell(self, environments: set[str]) -> None:
        """Wake who waits for lines of these environments."""
        with self._lock:
            waiting = [each for name in environments for each in self._listeners.get(name, ())]
        for loop, event in waiting:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:
                continue  # that loop has ended, and its readers with it

    def _listen(self, environment: str) -> asyncio.Event:
        event = asyncio.Event()
        with self._lock:
            here = self._listeners.setdefault(environment, set())
            here.add((asyncio.get_running_loop(), event))
        return event

    def _unlisten(self, environment: str, event: asyncio.Event) -> None:
        with self._lock:
            here = self._listeners.get(environment, set())
            here.discard((asyncio.get_running_loop(), event))
            if not here:
                self._listeners.pop(environment, None)

    @property
    def store(self) -> Store:
        """The database of all lines; other rooms keep there what must be kept with theirs."""
        if self._store is None:
            raise RuntimeError("The logs are not open.")
        return self._store

    def _reader(self) -> Ingest:
        if self._ingest is None:
            raise RuntimeError("The logs are not open.")
        return self._ingest


async def _within(seconds: float, event: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
