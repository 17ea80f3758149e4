"""One process for each job: a lock file that dies with its holder and names it."""

import fcntl
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from .files import private_folder

_FLOCK = "hhqqi4x"  # struct flock on 64-bit Linux: type, whence, start, length, pid


_ours: dict[str, int] = {}  # what this process holds: by path, the process that wrote it here


class LockHeld(Exception):
    """Another process holds the lock; ``pid`` is which."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"Process {pid or '?'} already holds {path}.")
        self.pid = pid


@dataclass(frozen=True)
class Lock:
    """A held lock; it is free again when this process ends, however it ends."""

    path: Path
    descriptor: int

    def release(self) -> None:
        """Let the next one in."""
        _ours.pop(os.path.realpath(self.path), None)
        os.close(self.descriptor)


def hold(path: Path) -> Lock:
    """Take the lock at ``path``, or raise LockHeld.

    A POSIX lock: children do not inherit it, and the kernel names its holder. Whoever holds it
    must not open the file again: the first close would let go of it. ``holder`` knows that.
    """
    private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = _holder(descriptor)
        os.close(descriptor)
        raise LockHeld(path, pid) from None
    _ours[os.path.realpath(path)] = os.getpid()
    return Lock(path, descriptor)


def holder(path: Path) -> int | None:
    """Return the process that holds the lock at ``path``, without taking it, nor letting go."""
    if _ours.get(os.path.realpath(path)) == os.getpid():
        return os.getpid()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _holder(descriptor)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int | None:
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else int(pid)
