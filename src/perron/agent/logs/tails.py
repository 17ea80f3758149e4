"""One file that something writes to, read from where we were and emptied behind us."""

import ctypes
import os
import tempfile
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from perron.kit import clock

from .model import Labels, secrets_pattern, whole_lines
from .refusals import Refusals
from .store import Place

READ_AT_ONCE = 1 << 20
PUNCH_EVERY = 1 << 20
_PUNCH_HOLE_KEEP_SIZE = 3
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


@dataclass(frozen=True)
class Piece:
    """What one look at a file gave: whole lines, their moment, and whether more waits."""

    data: bytes
    time: datetime
    late: bool
    more: bool


class Tail:
    """Where we are in one file. A file that began anew is read from its own start."""

    def __init__(
        self,
        path: Path,
        labels: Labels,
        place: Place | None,
        *,
        late: bool,
        closed: Container[int] = (),
        usual: Sequence[int] = (),
    ) -> None:
        self.path = path
        self.labels = labels
        self.secrets = secrets_pattern(labels.mask)
        self.refusals = Refusals(closed, usual)
        self.inode = place.inode if place else 0
        self.position = place.position if place else 0
        self.dropped = place.dropped if place else 0
        self._known = place is not None
        self._punched = 0
        self._late_until = -1
        if late:
            self.mark_late()

    def mark_late(self) -> None:
        """What is in the file by now was written while nobody looked."""
        try:
            self._late_until = self.path.stat().st_size
        except FileNotFoundError:
            self._late_until = -1

    def read(self, *, final: bool = False) -> Piece | None:
        """Return what follows, without moving on; None when there is nothing whole."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            return self._read(descriptor, final)
        finally:
            os.close(descriptor)

    def move(self, size: int) -> None:
        """Note that ``size`` bytes were taken."""
        self.position += size

    def place(self) -> Place:
        """Return how far we are, to be kept with the lines."""
        where = str(self.path)
        return Place(where, self.inode, self.position, self.dropped, self.labels.environment)

    def wants_punching(self) -> bool:
        """Say whether enough was taken to give its room back to the disk."""
        return self.position - self._punched >= PUNCH_EVERY

    def punch(self) -> None:
        """Give the room of what was taken back; the file keeps its length and its writer."""
        self._punched = self.position
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _libc.fallocate(descriptor, _PUNCH_HOLE_KEEP_SIZE, 0, self.position & ~4095)
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int, final: bool) -> Piece | None:
        facts = os.fstat(descriptor)
        if facts.st_ino != self.inode or facts.st_size < self.position:
            self.inode, self.position = facts.st_ino, _start(descriptor, facts.st_size)
            self._punched = 0
        data = os.pread(descriptor, READ_AT_ONCE, self.position)
        full = len(data) == READ_AT_ONCE
        size = whole_lines(data, full=full, final=final and not full)
        if not size:
            return None
        late = self.position < self._late_until
        now = clock.now()
        written = datetime.fromtimestamp(facts.st_mtime, UTC)
        return Piece(data[:size], min(now, written) if late else now, late, full)


def can_punch(folder: Path) -> bool:
    """Try whether this file system can empty the head of a file."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x" * 65536)
        file.flush()
        os.fsync(file.fileno())
        before = os.fstat(file.fileno()).st_blocks
        done = _libc.fallocate(file.fileno(), _PUNCH_HOLE_KEEP_SIZE, 0, 32768) == 0
        return done and os.fstat(file.fileno()).st_blocks < before


def _start(descriptor: int, size: int) -> int:
    """Return where the data of a file begins: behind the holes of an earlier reading."""
    if not size:
        return 0
    try:
        return os.lseek(descriptor, 0, os.SEEK_DATA)
    except OSError:
        return size
