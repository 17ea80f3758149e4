"""A volume's files as an archive, out and in, read and written as the environment's own user."""

import lzma
import os
import shutil
import stat
import tarfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from perron.kit.archives import CarefulTarInfo, members

from .acting import as_user
from .model import ArchiveRefused
from .placing import place, rooted

CHUNK = 1 << 18


@contextmanager
def _opened(folder: Path) -> Iterator[str]:
    """Give a path to a folder whose parents the environment's user may not enter."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def pack(folder: Path, uid: int, into: IO[bytes], *, compress: bool) -> None:
    """Write every file of a volume as a tar archive; what cannot be read is left out."""

    def act() -> None:
        with tarfile.open(fileobj=into, mode="w|gz" if compress else "w|") as archive:
            for path, name in _walk(root, ""):
                with suppress(FileNotFoundError, PermissionError):
                    archive.add(path, arcname=name, recursive=False)

    with _opened(folder) as root:
        as_user(uid, act)


def stream(folder: Path, uid: int) -> Iterator[bytes]:
    """Give a volume's archive piece by piece, holding little of it in memory."""
    reader, writer = os.pipe()

    def fill() -> None:
        with suppress(BrokenPipeError), os.fdopen(writer, "wb") as pipe:
            pack(folder, uid, pipe, compress=False)

    thread = threading.Thread(target=fill, name="archive of a volume")
    thread.start()
    with os.fdopen(reader, "rb") as pipe:
        while piece := pipe.read(CHUNK):
            yield piece
    thread.join()


def unpack(archive: Path, folder: Path, uid: int) -> None:
    """Put the files of a tar archive into a volume: no devices, no links that lead out."""

    def act() -> None:
        with rooted(root) as top:
            for member in members(opened):
                place(opened, member, top)

    try:
        with (
            _opened(folder) as root,
            tarfile.open(archive, mode="r|*", tarinfo=CarefulTarInfo) as opened,
        ):
            as_user(uid, act)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, UnicodeError) as why:
        raise ArchiveRefused(f"This is not a whole tar archive: {why}") from why


def measure(folder: Path) -> int:
    """Return how many bytes the files of a folder take on disk; each file counts once."""
    seen: set[int] = set()
    total = 0
    for path, _ in _walk(str(folder), ""):
        with suppress(OSError):
            facts = os.lstat(path)
            if facts.st_ino not in seen:
                seen.add(facts.st_ino)
                total += facts.st_blocks * 512
    return total


def remove(folder: Path) -> None:
    """Remove a folder with everything in it, whatever its rights."""

    def open_up(_function: object, path: str, _why: object) -> None:
        with suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            if os.path.isdir(path) and not os.path.islink(path):
                os.chmod(path, stat.S_IRWXU)
                shutil.rmtree(path)
            else:
                os.unlink(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=open_up)


def _walk(path: str, name: str) -> Iterator[tuple[str, str]]:
    """Give every path under a folder with its name in the archive, parents first."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        inner = f"{name}/{entry.name}" if name else entry.name
        yield entry.path, inner
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, inner)
