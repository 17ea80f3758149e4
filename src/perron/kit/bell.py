"""Wakes whoever waits for the database to change, so that nobody has to poll."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Condition

_changed = Condition()
_count = 0
_listeners: set[Callable[[], object]] = set()


def ring() -> None:
    """Say that something was committed, or reported by an engine."""
    global _count
    with _changed:
        _count += 1
        _changed.notify_all()
        listeners = tuple(_listeners)
    for call in listeners:
        call()


def heard() -> int:
    """Return how often the bell has rung: look, then ``wait`` for more than that."""
    with _changed:
        return _count


def wait(since: int, timeout: float) -> int:
    """Wait until the bell has rung more than ``since`` times, or ``timeout`` seconds passed."""
    with _changed:
        _changed.wait_for(lambda: _count > since, timeout)
        return _count


@contextmanager
def listening(call: Callable[[], object]) -> Generator[None]:
    """Have ``call`` called at every ring; it must be quick and may not raise."""
    with _changed:
        _listeners.add(call)
    try:
        yield
    finally:
        with _changed:
            _listeners.discard(call)


class Ear:
    """Hears the bell in an event loop, without holding a thread."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @contextmanager
    def open(self) -> Generator["Ear"]:
        """Listen for as long as the block lasts."""
        with listening(self._call):
            yield self

    async def wait(self, timeout: float) -> bool:
        """Wait for a ring since the last wait; false when ``timeout`` seconds passed."""
        try:
            await asyncio.wait_for(self._rung.wait(), timeout)
        except TimeoutError:
            return False
        self._rung.clear()
        return True

    def _call(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._rung.set)
