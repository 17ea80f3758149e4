"""Thousands may follow the same lines: the agent is asked once for all of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from perron.contract.node import LogLine, LogPage
from perron.telemetry.model import LogQuery, LogsAway
from perron.telemetry.ports import NodeLogs

WAIT = 20.0
AGAIN = 1.0
BEHIND = 2000  # lines that may wait for a slow reader; it then asks for them anew
AT_ONCE = 1000

Key = tuple[NodeLogs, LogQuery]


async def follow(logs: NodeLogs, query: LogQuery) -> AsyncIterator[LogLine | LogsAway]:
    """Give lines as they come, for ever; LogsAway once whenever the agent went away."""
    desk, is_away = _desk(), False
    while True:
        with desk.joined(logs, query) as (shared, reader):
            async for told in _pages(desk, shared, reader, query):
                if isinstance(told, LogsAway):
                    if not is_away:
                        yield told
                    is_away = True
                    continue
                is_away = False
                for line in told.lines:
                    yield line
                query = replace(query, after=told.next, since=None, limit=AT_ONCE)


class Reader:
    """One who follows: what all are told waits here until it is taken."""

    def __init__(self) -> None:
        self.start: int | None = None  # what comes after this cursor is told
        self._told: deque[LogPage | Exception] = deque()
        self._waiting = 0
        self._rung = asyncio.Event()
        self._is_behind = False

    def tell(self, told: LogPage | Exception) -> None:
        """Have it take ``told`` next; with too much waiting it is told no more."""
        self._waiting += len(told.lines) if isinstance(told, LogPage) else 0
        if self._waiting > BEHIND:
            self._is_behind = True
        if not self._is_behind:
            self._told.append(told)
        self._rung.set()

    async def pages(self) -> AsyncIterator[LogPage | LogsAway]:
        """Give what is told, until it has fallen behind; raise what ended the asking."""
        while self._told or not self._is_behind:
            if not self._told:
                self._rung.clear()
                await self._rung.wait()
                continue
            told = self._told.popleft()
            if isinstance(told, LogPage):
                self._waiting -= len(told.lines)
            elif not isinstance(told, LogsAway):
                raise told
            yield told


@dataclass(eq=False)
class Shared:
    """What many follow, and the task that asks for it."""

    key: Key
    readers: set[Reader] = field(default_factory=set)
    position: int | None = None
    task: asyncio.Task[None] | None = None

    def join(self) -> Reader:
        """Return a new reader, who is told all that comes from here on."""
        reader = Reader()
        reader.start = self.position
        self.readers.add(reader)
        return reader

    def begin(self, position: int) -> None:
        """Ask for what comes after ``position``, unless somebody has begun."""
        if self.task is None or self.task.done():
            self.position = position
            for reader in self.readers:
                reader.start = position
            self.task = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        logs, query = self.key
        wait = 0.0
        while True:
            try:
                page = await logs.follow(replace(query, after=self.position), wait=wait)
            except LogsAway as away:
                self._tell(away)
                await asyncio.sleep(AGAIN)
                continue
            except Exception as why:  # every reader raises it
                self._tell(why)
                return
            self.position, wait = page.next, WAIT
            self._tell(page)

    def _tell(self, told: LogPage | Exception) -> None:
        for reader in self.readers:
            reader.tell(told)


class Desk:
    """All that is followed in one event loop."""

    def __init__(self) -> None:
        self._shared: dict[Key, Shared] = {}
        self._asked: dict[Key, asyncio.Task[LogPage]] = {}

    @contextmanager
    def joined(self, logs: NodeLogs, query: LogQuery) -> Generator[tuple[Shared, Reader]]:
        """Let somebody follow for as long as the block lasts; the last one ends the asking."""
        key = logs, replace(query, after=None, since=None, limit=AT_ONCE)
        shared = self._shared.setdefault(key, Shared(key))
        reader = shared.join()
        try:
            yield shared, reader
        finally:
            shared.readers.discard(reader)
            if not shared.readers:
                self._shared.pop(key, None)
                if shared.task:
                    shared.task.cancel()

    async def page(self, logs: NodeLogs, query: LogQuery) -> LogPage:
        """Return lines that are there; who asks the same meanwhile shares the answer."""
        key = logs, query
        if key not in self._asked:
            asked = asyncio.create_task(_page(logs, query))
            asked.add_done_callback(lambda _: self._asked.pop(key))
            self._asked[key] = asked
        return await asyncio.shield(self._asked[key])


async def _pages(
    desk: Desk, shared: Shared, reader: Reader, query: LogQuery
) -> AsyncIterator[LogPage | LogsAway]:
    """Give what was there before the reader joined, then what all of them are told."""
    while True:
        try:
            page = await desk.page(shared.key[0], query)
        except LogsAway as away:
            yield away
            await asyncio.sleep(AGAIN)
            continue
        yield page
        query = replace(query, after=page.next, since=None, limit=AT_ONCE)
        shared.begin(page.next)
        if reader.start is not None and page.next >= reader.start:
            break
    async for told in reader.pages():
        yield told if isinstance(told, LogsAway) else _after(told, page.next)


async def _page(logs: NodeLogs, query: LogQuery) -> LogPage:
    return await logs.follow(query, wait=0)


def _after(page: LogPage, cursor: int) -> LogPage:
    if page.next <= cursor:
        return LogPage.model_construct(lines=[], next=cursor)
    lines = [each for each in page.lines if each.cursor > cursor]
    return LogPage.model_construct(lines=lines, next=page.next)


def _desk() -> Desk:
    return _desks.setdefault(asyncio.get_running_loop(), Desk())


_desks: WeakKeyDictionary[asyncio.AbstractEventLoop, Desk] = WeakKeyDictionary()
