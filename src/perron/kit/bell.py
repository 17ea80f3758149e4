"""Wakes whoever waits for the database to change, so that nobody has to poll."""

from threading import Condition

_changed = Condition()
_count = 0


def ring() -> None:
    """Say that something was committed, or reported by an engine."""
    global _count
    with _changed:
        _count += 1
        _changed.notify_all()


def heard() -> int:
    """Return how often the bell has rung: look, then ``wait`` for more than that."""
    with _changed:
        return _count


def wait(since: int, timeout: float) -> int:
    """Wait until the bell has rung more than ``since`` times, or ``timeout`` seconds passed."""
    with _changed:
        _changed.wait_for(lambda: _count > since, timeout)
        return _count
