"""Which band of ports and uids each home of this machine has taken.

A claim is a file ``<slot>.<uid>`` that names a home. Everybody writes into a folder of their own
and reads everybody's: root's is where only root can make one, a user's is in the system's
temporary folder with their uid in its name. A folder or file that is not its owner's counts for
nothing, and is never written into: what it leads to may be anybody's.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from perron.kit.problems import Problem
from perron.kit.settings import Home

SLOTS = range(20)
ROOTS = tuple(Path(place, "perron-claims") for place in ("/var/lib", "/run"))
SHARED = Path("/tmp")  # noqa: S108 - sticky: whoever makes a folder there keeps it
FRESH = 120.0  # seconds in which a claim counts though its home is not set up yet
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class ClaimRefused(Problem):
    """No band of ports and uids can be claimed here."""


def claim(home: Home) -> int:
    """Take a band for this home; a band whose home is gone is free."""
    uid = os.getuid()
    with _own_folder() as folder:
        ours = {int(each.name.partition(".")[0]) for each in of(home)}
        for slot in sorted(SLOTS, key=lambda slot: slot not in ours):
            if any(_others(slot, home)):
                continue
            _write(folder, f"{slot}.{uid}", str(home.path))
            if not any(_others(slot, home)):  # two at once: each sees the other, tries the next
                return slot
            os.unlink(f"{slot}.{uid}", dir_fd=folder)
    raise ClaimRefused(
        f"All {len(SLOTS)} bands of ports and uids on this machine are claimed; the files in "
        f"{', '.join(map(str, _folders()))} name the homes. "
        "Remove a home you no longer need, then: perron up."
    )


def renew(home: Home, slot: int) -> str:
    """Claim the home's own band again, should the claim be gone; say what is in the way."""
    if other := next(_others(slot, home), ""):
        return (
            f"The home {other} claims the same ports and uids (band {slot}) as this one; run only "
            "one of the two, and move one to a new PERRON_HOME."
        )
    name = f"{slot}.{os.getuid()}"
    if any(_named(folder, name) == str(home.path) for folder in _own_places()):
        return ""
    try:
        with _own_folder() as folder:
            _write(folder, name, str(home.path))
    except ClaimRefused as why:
        return str(why)
    return ""


def of(home: Home) -> list[Path]:
    """Return the files by which this user's home has its band."""
    names = [f"{slot}.{os.getuid()}" for slot in SLOTS]
    places = [(folder, name) for folder in _folders() for name in names]
    return [folder / name for folder, name in places if _named(folder, name) == str(home.path)]


def _others(slot: int, home: Home) -> Iterator[str]:
    """Name other homes that are still there and have the band."""
    for folder in _folders():
        for name in _names(folder, slot):
            owner = _named(folder, name)
            if owner and owner != str(home.path) and _is_there(owner, folder / name):
                yield owner


def _folders() -> list[Path]:
    """Return everybody's folders; the first name is what earlier versions shared."""
    return [*ROOTS, *sorted(SHARED.glob("perron-claims*"))]


def _names(folder: Path, slot: int) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.startswith(f"{slot}.")]
    except OSError:
        return []


def _named(folder: Path, name: str) -> str:
    """Return the home a claim names; nothing unless it is a plain file of the uid in its name."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or name.rpartition(".")[2] != str(found.st_uid):
            return ""
        text = os.fsdecode(file.read(4096))
    return text if text.startswith("/") and text.isprintable() else ""


def _is_there(owner: str, claim: Path) -> bool:
    try:
        if time.time() - claim.stat().st_mtime < FRESH and os.path.lexists(owner):
            return True
        os.stat(os.path.join(owner, "settings.json"))
    except PermissionError:
        return True  # one that we may not look into
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _own_folder() -> Iterator[int]:
    """Open the folder that is ours, made if there is none, for one writer at a time."""
    places = _own_places()
    descriptor = _opened(next((each for each in places if _made(each)), places[0]))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _own_places() -> tuple[Path, ...]:
    return ROOTS if os.getuid() == 0 else (SHARED / f"perron-claims.{os.getuid()}",)


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True


def _opened(folder: Path) -> int:
    """Open our folder by descriptor, so that nobody can put another in its place; or refuse it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as why:
        is_link = " is a link" if folder.is_symlink() else f" cannot be used: {why.strerror}"
        raise ClaimRefused(_advice(folder, is_link)) from why
    found = os.fstat(descriptor)
    if found.st_uid == os.getuid() and not found.st_mode & OTHERS_MAY_WRITE:
        return descriptor
    os.close(descriptor)
    whose = "can be written by others" if found.st_uid == os.getuid() else (
        f"belongs to another user (uid {found.st_uid})"
    )  # fmt: skip
    raise ClaimRefused(_advice(folder, f" {whose}"))


def _advice(folder: Path, what: str) -> str:
    return (
        f"{folder}, where this user's bands of ports and uids are written down,{what}; nothing "
        f"was written. Look at it (ls -ld {folder}), have it removed, then: perron up."
    )


def _write(folder: int, name: str, text: str) -> None:
    """Put a claim in place whole; the folder is ours alone, so its names are."""
    temporary = f".{name}"
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, 0o644, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o644)  # whatever the umask: everybody reads everybody's
        file.write(os.fsencode(text))
    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
