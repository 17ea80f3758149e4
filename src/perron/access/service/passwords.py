"""Passwords: hashed slowly, two at a time, and never inside a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from perron.kit.problems import Unavailable

AT_ONCE = 2
WAITING = 8

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_places = BoundedSemaphore(AT_ONCE)
_queue = BoundedSemaphore(AT_ONCE + WAITING)


class TooBusy(Unavailable):
    """So many people sign in just now that this one has to come again."""


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    with _turn():
        return _hasher.hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Say whether the password belongs to the hash; it takes as long when there is none."""
    with _turn():
        try:
            return _hasher.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a place; refuse at once when many wait already, so that the API stays quick."""
    if not _queue.acquire(blocking=False):
        raise TooBusy("Too many people sign in just now; try again in a moment.", retry_after=1)
    try:
        with _places:
            yield
    finally:
        _queue.release()


@cache
def _nobody() -> str:
    return _hasher.hash("nobody's password")
