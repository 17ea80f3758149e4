"""Packs a folder: the same content always gives the same archive, byte for byte."""

import gzip
import os
import stat
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import ignoring, words
from .exits import FAILED, MISTYPED, REFUSED, Stop

LIMIT = 256 << 20


@dataclass(frozen=True)
class Member:
    """One file or link that goes along."""

    path: str
    real: Path
    size: int
    mode: int
    link: str | None = None


@dataclass(frozen=True)
class Packed:
    """A packed folder, and what is in it."""

    archive: Path
    members: list[Member]
    size: int
    kept_home: list[str]


@contextmanager
def packed(folder: Path) -> Iterator[Packed]:
    """Pack a folder into a temporary file that is gone afterwards."""
    members, kept_home = collect(folder)
    with tempfile.NamedTemporaryFile(prefix="perron-", suffix=".tar.gz") as file:
        _write(members, file)
        file.flush()
        yield Packed(Path(file.name), members, os.path.getsize(file.name), kept_home)


def collect(folder: Path) -> tuple[list[Member], list[str]]:
    """Return what goes along, sorted, and which files with secrets stay at home."""
    if not folder.is_dir():
        raise Stop(f"{folder} is no folder.", MISTYPED)
    root = folder.resolve()
    rules = ignoring.rules_of(root)
    members = sorted(_walk(root, root, "", rules), key=lambda each: each.path)
    if not members:
        raise Stop(f"There is nothing to deploy in {folder}.", MISTYPED)
    return members, sorted(rules.secrets)


def biggest(members: list[Member], count: int = 3) -> str:
    """Name the folders that weigh most."""
    weights: Counter[str] = Counter()
    for each in members:
        parts = each.path.split("/")
        weights["/".join(parts[:2]) + "/" if len(parts) > 2 else parts[0]] += each.size
    return ", ".join(f"{name} {words.size(size)}" for name, size in weights.most_common(count))


def _walk(root: Path, folder: Path, prefix: str, above: ignoring.Rules) -> Iterator[Member]:
    rules = above.inside(folder, prefix)
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except PermissionError as why:
        raise Stop(_unreadable(prefix or "."), FAILED) from why
    for entry in entries:
        path = prefix + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if rules.ignore(path, entry.name, is_folder=is_folder):
            continue
        if is_folder:
            yield from _walk(root, Path(entry.path), path + "/", rules)
        elif member := _member(root, entry, path):
            yield member


def _member(root: Path, entry: os.DirEntry[str], path: str) -> Member | None:
    _check_name(path)
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        target = _link_inside(root, Path(entry.path), path)
        return Member(path, Path(entry.path), 0, 0o777, target)
    if not stat.S_ISREG(status.st_mode):
        return None  # sockets and pipes of a running program are no source
    if not os.access(entry.path, os.R_OK):
        raise Stop(_unreadable(path), FAILED)
    mode = 0o755 if status.st_mode & 0o100 else 0o644
    return Member(path, Path(entry.path), status.st_size, mode)


def _check_name(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as why:
        name = os.fsencode(path).decode(errors="replace")
        raise Stop(f"{name}: the name is not UTF-8; rename it or ignore it.", REFUSED) from why
    if "\n" in path:
        raise Stop(f"{path!r}: a name with a line break; rename it or ignore it.", REFUSED)


def _link_inside(root: Path, link: Path, path: str) -> str:
    target = os.readlink(link)
    reaches = Path(os.path.normpath(link.parent / target))
    inside = not os.path.isabs(target) and reaches.is_relative_to(root)
    if not inside or not link.resolve().is_relative_to(root):
        raise Stop(
            f"{path} is a link to {target}, which leaves the folder; it would lead nowhere in "
            "the sandbox.",
            REFUSED,
            next=f"replace it by what it leads to, or add {path} to .perronignore",
        )
    return target


def _write(members: list[Member], file: IO[bytes]) -> None:
    with (
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for each in members:
            _add(archive, each)
            if file.tell() > LIMIT:
                raise too_large(members, LIMIT)
    if file.tell() > LIMIT:
        raise too_large(members, LIMIT)


def too_large(members: list[Member], limit: int) -> Stop:
    """Say that a folder is too large, and where its weight is."""
    return Stop(
        f"The folder is too large: packed it may have {words.size(limit)}. "
        f"Most of it is in {biggest(members)}.",
        REFUSED,
        next="name what the app does not need in .perronignore",
    )


def _add(archive: tarfile.TarFile, member: Member) -> None:
    info = tarfile.TarInfo(member.path)
    info.mode = member.mode
    if member.link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, member.link
        archive.addfile(info)
        return
    info.size = member.size
    try:
        with member.real.open("rb") as content:
            archive.addfile(info, content)
    except PermissionError as why:
        raise Stop(_unreadable(member.path), FAILED) from why
    except OSError as why:
        raise Stop(f"{member.path} changed while it was packed ({why}); try again.") from why


def _unreadable(path: str) -> str:
    return f"{path} cannot be read; make it readable, or add it to .perronignore."
