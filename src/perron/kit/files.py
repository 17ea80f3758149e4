"""Files that are either whole or not there."""

import os
import secrets
import shutil
from pathlib import Path

from .problems import Problem


class DiskFull(Problem):
    """There is not enough room for what was asked."""

    status = 507


def write_whole(path: Path, content: bytes | str, *, mode: int = 0o600) -> None:
    """Put ``content`` at ``path`` for good: readers see the old file or the new, never half."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed inside ``folder`` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(path: Path) -> Path:
    """Return the folder, made for us alone if it was not there."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def check_room(folder: Path, needed: int, *, reserve: int) -> None:
    """Raise DiskFull unless ``needed`` bytes fit and ``reserve`` bytes stay free."""
    free = shutil.disk_usage(folder).free
    if free - needed < reserve:
        raise DiskFull(
            f"The disk has {free / 1e9:.1f} GB free; this needs {needed / 1e9:.2f} GB and "
            f"{reserve / 1e9:.1f} GB must stay free. Make room on this disk.",
            free=free,
            needed=needed,
            reserve=reserve,
        )
