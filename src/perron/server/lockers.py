"""Who keeps a database file locked, as the kernel tells it."""

import os
from pathlib import Path

from perron.kit import holders
from perron.kit.holders import Holder

LOCKS = Path("/proc/locks")
OWN = "other work of this server"


def locker_of(database: Path) -> Holder:
    """Return who holds a write lock on the database, or else who has it open."""
    return lock_on(database) or holders.of_file(database) or Holder(None, "another process")


def lock_on(database: Path) -> Holder | None:
    """Return the process that holds a write lock on the database just now, if one can be seen."""
    inodes = {_inode(database.with_name(database.name + end)) for end in ("", "-wal", "-shm")}
    for line in LOCKS.read_text().splitlines() if LOCKS.exists() else ():
        words = line.split()
        if "->" in words or "WRITE" not in words:
            continue
        kind, pid, where = words[words.index("WRITE") - 2], *words[words.index("WRITE") + 1 :][:2]
        if kind not in ("POSIX", "FLOCK", "OFDLCK") or where not in inodes:
            continue
        is_own = int(pid) == os.getpid()
        return Holder(int(pid), OWN if is_own else holders.command_of(int(pid)))
    return None


def _inode(path: Path) -> str:
    """Name a file as /proc/locks does: major and minor number of its device, and its inode."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
