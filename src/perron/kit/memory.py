"""Keeps server and agent small, and lets them have many connections."""

import ctypes
import gc
import resource
import sys
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_ARENAS = 2
_UNUSED = (
    "httpx._main",  # the command of httpx, which loads rich to draw with: 3 MB
    "pydantic.v1",  # FastAPI asks whether a model is one of that age: 2 MB
)


def spare_unused() -> None:
    """Keep what our libraries can do without, and we never use, from being loaded.

    To be called before they are; each of them asks whether it is there.
    """
    for name in _UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # the way to say: not there


def share_arenas() -> None:
    """Have threads share two pools of memory; the C library gives each its own, up to 8 a core.

    What a thread frees stays in its pool: a server whose threads take turns holds several MB in
    each. Python's lock lets one thread work at a time, so sharing costs nothing. A C library
    without this switch goes on as it does.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def settle() -> None:
    """Have the collector look no more at what is there now: all code, to be called once it is.

    A look at everything takes a tenth of a second in which nobody is answered, and comes every
    few hundred requests; what came after is looked through in a millisecond.
    """
    gc.collect()
    gc.freeze()


def open_many_files() -> None:
    """Raise the limit of open files as far as it goes: each visitor of a stream needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
