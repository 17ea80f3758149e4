"""Notices that files grew, by inotify; where there is none, by looking now and then."""

import ctypes
import logging
import os
import select
import struct
from contextlib import suppress
from pathlib import Path

LOOK_EVERY = 0.5
_MODIFY = 0x2
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_EVENT = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)
log = logging.getLogger(__name__)


class Waking:
    """Sleeps until a watched file grew or somebody calls ``wake``."""

    def __init__(self) -> None:
        self._inotify = _libc.inotify_init1(_NONBLOCK_CLOEXEC)
        if self._inotify < 0:
            log.warning("No inotify (%s): log files are looked at twice a second.", _why())
        self._told, self._tell = os.pipe2(_NONBLOCK_CLOEXEC)
        self._paths: dict[int, Path] = {}
        self._unwatched: set[Path] = set()
        self._poll = select.poll()
        self._poll.register(self._told, select.POLLIN)
        if self._inotify >= 0:
            self._poll.register(self._inotify, select.POLLIN)

    def add(self, path: Path) -> None:
        """Begin to watch a file that exists."""
        found = -1
        if self._inotify >= 0:
            found = _libc.inotify_add_watch(self._inotify, os.fsencode(path), _MODIFY)
        if found >= 0:
            self._paths[found] = path
        else:
            self._unwatched.add(path)

    def remove(self, path: Path) -> None:
        """Watch a file no more."""
        self._unwatched.discard(path)
        for number, each in list(self._paths.items()):
            if each == path:
                del self._paths[number]
                _libc.inotify_rm_watch(self._inotify, number)

    def wake(self) -> None:
        """End the sleep of ``wait``; from any thread."""
        with suppress(BlockingIOError):  # full: it has been told often enough
            os.write(self._tell, b"!")

    def wait(self, timeout: float) -> set[Path]:
        """Sleep at most so long; return the files that may have grown."""
        seconds = min(timeout, LOOK_EVERY) if self._unwatched else timeout
        ready = {number for number, _ in self._poll.poll(seconds * 1000)}
        if self._told in ready:
            os.read(self._told, 4096)
        grown = set(self._unwatched)
        if self._inotify in ready:
            grown |= self._events()
        return grown

    def close(self) -> None:
        """Let go of the kernel's side."""
        for descriptor in (self._inotify, self._told, self._tell):
            if descriptor >= 0:
                os.close(descriptor)

    def _events(self) -> set[Path]:
        data = os.read(self._inotify, 65536)
        grown: set[Path] = set()
        at = 0
        while at < len(data):
            number, _, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            if number == -1:  # the kernel's queue ran over: any of them may have grown
                return set(self._paths.values())
            if number in self._paths:
                grown.add(self._paths[number])
        return grown


def _why() -> str:
    return os.strerror(ctypes.get_errno())
