"""Sources unpacked with suspicion: nothing leaves the folder, and there are bounds."""

import os
import posixpath
import tarfile
import zlib
from pathlib import Path

from perron.kit.archives import CarefulTarInfo, leads_out, members
from perron.kit.problems import Permanent

MOST_FILES = 50_000
MOST_BYTES = 4 << 30
_CHUNK = 1 << 20


def unpack(archive: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Unpack a tar.gz into a fresh folder, or raise Permanent saying what is wrong with it.

    Links are made last: until then there is none that a file could be written through.
    """
    folder.mkdir(parents=True, mode=0o755)
    links: list[tarfile.TarInfo] = []
    left = most_bytes
    try:
        with tarfile.open(archive, "r:gz", tarinfo=CarefulTarInfo) as tar:
            for count, member in enumerate(members(tar), start=1):
                if count > MOST_FILES:
                    raise Permanent(f"The source has more than {MOST_FILES:,} files.")
                left -= member.size
                if left < 0:
                    raise Permanent(f"The source unpacks to more than {most_bytes >> 20} MiB.")
                if member.issym() or member.islnk():
                    links.append(member)
                else:
                    _place(tar, member, folder)
            for member in links:
                _link(member, folder)
    except (tarfile.TarError, EOFError, zlib.error, UnicodeError) as why:
        raise Permanent(f"The source is not a whole tar.gz: {why}.") from why


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = folder / _inside(member.name)
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True, mode=0o755)
        return
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise Permanent(f"The source holds {member.name!r}, which is no file, folder or link.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    mode = 0o755 if member.mode & 0o111 else 0o644
    try:
        descriptor = os.open(path, flags, mode)
    except FileExistsError:
        raise Permanent(f"The source holds {member.name!r} twice.") from None
    with os.fdopen(descriptor, "wb") as file:
        while data := content.read(_CHUNK):
            file.write(data)
    os.utime(path, (member.mtime, member.mtime))


def _link(member: tarfile.TarInfo, folder: Path) -> None:
    name = _inside(member.name)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    if _through_a_link(path.parent, folder):
        raise Permanent(f"The source holds {member.name!r}, which lies behind a link.")
    try:
        if member.issym():
            if leads_out(member.linkname, name.count("/")):
                raise Permanent(f"The source holds {member.name!r}, which leads out of its folder.")
            path.symlink_to(member.linkname)
        else:
            target = folder / _inside(member.linkname, of=member.name)
            if target.is_symlink() or _through_a_link(target.parent, folder):
                raise Permanent(f"The source holds {member.name!r}, a link to a link.")
            os.link(target, path, follow_symlinks=False)
    except FileExistsError:
        raise Permanent(f"The source holds {member.name!r} twice.") from None
    except FileNotFoundError:
        raise Permanent(f"The source holds {member.name!r}, a link to nothing.") from None


def _inside(name: str, *, of: str = "") -> str:
    """Return the name as it lies in the folder; refuse one that leads out of it."""
    plain = posixpath.normpath(name)
    if "\0" in name or posixpath.isabs(name) or plain.split("/")[0] == "..":
        raise Permanent(f"The source holds {of or name!r}, which leads out of its folder.")
    return plain


def _through_a_link(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    steps = [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    return any(step.is_symlink() for step in steps)
