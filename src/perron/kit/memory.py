"""Keeps a process with many threads small, and lets it have many connections."""

import ctypes
import resource
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_ARENAS = 2


def share_arenas() -> None:
    """Have threads share two pools of memory; the C library gives each its own, up to 8 a core.

    What a thread frees stays in its pool: a server whose threads take turns holds several MB in
    each. Python's lock lets one thread work at a time, so sharing costs nothing. A C library
    without this switch goes on as it does.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def open_many_files() -> None:
    """Raise the limit of open files as far as it goes: each visitor of a stream needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
