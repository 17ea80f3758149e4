"""Folders made by a tenant's code: handled without following a link of theirs."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path


def freeze(folder: Path) -> int:
    """Take a folder away from who made it and make it read-only; return its bytes on disk.

    As root it becomes root's. Set-id bits go; sockets and pipes are removed.
    """
    owner = 0 if os.geteuid() == 0 else -1
    size = 0
    _open_up(folder)
    for path, facts in _walk(folder):
        if stat.S_ISLNK(facts.st_mode):
            os.lchown(path, owner, owner)
            continue
        if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
            os.unlink(path)
            continue
        size += facts.st_blocks * 512
        os.chown(path, owner, owner, follow_symlinks=False)
        os.chmod(path, _frozen_mode(facts.st_mode))
    return size


def hand_over(folder: Path, uid: int) -> None:
    """Give a folder and all in it to ``uid``; nothing to do where every app is the same user."""
    if os.geteuid() == 0:
        for path, _ in _walk(folder):
            os.lchown(path, uid, uid)


def copy(folder: Path, to: Path) -> None:
    """Copy a frozen folder to where it may be written again; shared blocks where possible."""
    if to.is_symlink() or to.is_file():
        to.unlink()
    remove(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(  # noqa: S603 - paths of our own making
        ["/bin/cp", "-a", "--reflink=auto", "--", folder, to], check=True, capture_output=True
    )
    for path, facts in _walk(to):
        if not stat.S_ISLNK(facts.st_mode):
            os.chmod(path, facts.st_mode & 0o7777 | 0o200)


def remove(folder: Path) -> None:
    """Delete a folder, read-only ones inside too; one that is not there is fine."""
    if not folder.exists():
        return
    _open_up(folder)
    shutil.rmtree(folder)


def used(folder: Path) -> int:
    """Return the bytes a folder takes on the disk; what vanishes meanwhile does not count."""
    total = 0
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return total


def _open_up(folder: Path) -> None:
    """Let an ordinary user into folders that somebody closed; root needs no leave."""
    if os.geteuid() == 0:
        return
    os.chmod(folder, 0o700)
    for root, folders, _ in os.walk(folder):
        for each in folders:
            if not os.path.islink(f"{root}/{each}"):
                os.chmod(f"{root}/{each}", 0o700)


def _frozen_mode(mode: int) -> int:
    if stat.S_ISDIR(mode) or mode & 0o111:
        return 0o555
    return 0o444


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Give what is inside before what holds it, so that a folder may be closed behind us."""
    for root, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *(each for each in folders if os.path.islink(f"{root}/{each}"))):
            yield f"{root}/{name}", os.lstat(f"{root}/{name}")
        yield root, os.lstat(root)
