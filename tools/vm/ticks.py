"""How fast this processor counts: an emulated machine counts with it."""

import ctypes
import mmap
import platform
import time
from functools import cache

# rdtsc; shl rdx, 32; or rax, rdx; ret
_READ = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"


@cache
def per_millisecond() -> int | None:
    """Return the counter's kHz, or nothing where it cannot be read.

    The machine would measure it as it boots, and be wrong by any factor where this one is busy:
    its clocks would then run fast or slow.
    """
    if platform.machine() != "x86_64":
        return None
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=rights)
    except OSError:
        return None
    page.write(_READ)
    held = ctypes.c_char.from_buffer(page)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(held))
    first, ticks = _pair(read)
    time.sleep(0.3)
    last, more = _pair(read)
    del held
    page.close()
    return round((more - ticks) * 1_000_000 / (last - first))


def _pair(read: "ctypes._FuncPointer") -> tuple[int, int]:
    """Return the time and the counter at one moment: of many tries, the least interrupted."""
    tries = []
    for _ in range(50):
        before = time.monotonic_ns()
        ticks = read()
        tries.append((time.monotonic_ns() - before, before, ticks))
    _, moment, ticks = min(tries)
    return moment, ticks
