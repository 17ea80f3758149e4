"""Who keeps a database file locked, as the kernel tells it."""

import os
from pathlib import Path

from perron.kit import holders

LOCKS = Path("/proc/locks")


def locker_of(database: Path) -> str:
    """Say which other process holds a write lock on the database, or has it open at least."""
    inodes = {_inode(database.with_name(database.name + end)) for end in ("", "-wal", "-shm")}
    for line in LOCKS.read_text().splitlines() if LOCKS.exists() else ():
        words = line.split()
        if "->" in words or "WRITE" not in words:
            continue
        kind, pid, where = words[words.index("WRITE") - 2], *words[words.index("WRITE") + 1 :][:2]
        if kind not in ("POSIX", "FLOCK", "OFDLCK") or where not in inodes:
            continue
        if int(pid) == os.getpid():
            return "other work of this server"
        return f"{holders.command_of(int(pid))} (process {pid})"
    return str(holders.of_file(database) or "another process")


def _inode(path: Path) -> str:
    """Name a file as /proc/locks does: major and minor number of its device, and its inode."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
