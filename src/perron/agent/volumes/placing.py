"""Puts the members of an archive into a folder that an app may change at the same time.

Every folder on the way is opened without following links: no name leads out, whoever made it.
"""

import errno
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from perron.kit.archives import leads_out

from .model import ArchiveRefused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_DEPTH = 200
_REFUSED = {
    errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT,
    errno.EXDEV, errno.EACCES, errno.EPERM, errno.ENOTEMPTY, errno.EMLINK,
}  # fmt: skip


@contextmanager
def rooted(folder: str) -> Iterator[int]:
    """Open the folder that nothing may leave; its path may be followed once."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def place(archive: tarfile.TarFile, member: tarfile.TarInfo, top: int) -> None:
    """Put one member where it belongs, in place of what has its name; or raise ArchiveRefused."""
    parts = _parts(member.name)
    try:
        if not parts:
            return
        with _folder(top, parts[:-1]) as folder:
            _put(archive, member, top, folder, parts)
    except OSError as why:
        if why.errno in _REFUSED:
            raise _refused(member.name, f"cannot be placed: {why.strerror}") from why
        raise
    except ValueError as why:
        raise _refused(member.name, f"cannot be placed: {why}") from why


def _put(
    archive: tarfile.TarFile, member: tarfile.TarInfo, top: int, folder: int, parts: list[str]
) -> None:
    name = parts[-1]
    if member.isdir():
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=folder)
        return
    if not (member.isreg() or member.issym() or member.islnk()):
        raise _refused(member.name, "is no file, folder or link")
    if member.issym() and leads_out(member.linkname, len(parts) - 1):
        raise _refused(member.name, f"leads to {member.linkname!r}, outside the volume")
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    if member.issym():
        os.symlink(member.linkname, name, dir_fd=folder)
    elif member.islnk():
        _link(member, top, folder, name)
    else:
        _write(archive, member, folder, name)


def _link(member: tarfile.TarInfo, top: int, folder: int, name: str) -> None:
    target = _parts(member.linkname)
    if not target or member.linkname.startswith("/"):
        raise _refused(member.name, f"leads to {member.linkname!r}, outside the volume")
    with _folder(top, target[:-1], make=False) as other:
        os.link(target[-1], name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: int, name: str) -> None:
    content = archive.extractfile(member)
    mode = (member.mode & 0o755) | 0o600
    descriptor = os.open(name, _FILE, mode, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        if content is not None:
            shutil.copyfileobj(content, file)
        os.fchmod(file.fileno(), mode)
        with suppress(OSError, OverflowError, ValueError):  # a moment no file can have
            os.utime(file.fileno(), (member.mtime, member.mtime))


@contextmanager
def _folder(top: int, parts: list[str], *, make: bool = True) -> Iterator[int]:
    """Open a folder below ``top`` step by step, and make what is missing."""
    with ExitStack() as opened:
        at = top
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=at)
            at = os.open(part, _FOLDER, dir_fd=at)
            opened.callback(os.close, at)
        yield at


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise _refused(name, "leads out of it")
    if len(parts) > _DEPTH:
        raise _refused(name, f"lies more than {_DEPTH} folders deep")
    return parts


def _refused(name: str, why: str) -> ArchiveRefused:
    return ArchiveRefused(f"The archive holds what a volume may not: {name[:200]!r} {why}.")
