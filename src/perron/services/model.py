"""Volumes: folders of an environment that outlive its releases."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from perron.kit.problems import Conflict, NotFound, Problem

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
MOUNT = re.compile(r"(/[A-Za-z0-9._-]+)+")
TAKEN = ("/app", "/bin", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run")
TAKEN_TOO = ("/sbin", "/sys", "/tmp", "/usr", "/cache")  # noqa: S108 - names refused, not used
SMALLEST, LARGEST = 1 << 20, 1 << 50


@dataclass(frozen=True)
class Volume:
    """A folder of an environment: where the app sees it, and how many bytes it may hold."""

    environment: str
    name: str
    mount: str
    size: int
    created: datetime


@dataclass(frozen=True)
class VolumeCreated:
    """An environment has a new volume."""

    type: ClassVar[str] = "perron.volume.created.v1"
    name: str
    mount: str
    size: int


@dataclass(frozen=True)
class VolumeSnapshotted:
    """Someone kept a copy of a volume as it was."""

    type: ClassVar[str] = "perron.volume.snapshotted.v1"
    name: str


@dataclass(frozen=True)
class VolumeRestored:
    """Someone put the files of a snapshot back; ``kept`` names the copy of what was there."""

    type: ClassVar[str] = "perron.volume.restored.v1"
    name: str
    snapshot: str
    kept: str


@dataclass(frozen=True)
class VolumeFilesRead:
    """Someone downloaded a volume's files."""

    type: ClassVar[str] = "perron.volume.files_read.v1"
    name: str


@dataclass(frozen=True)
class VolumeFilesWritten:
    """Someone uploaded files into a volume."""

    type: ClassVar[str] = "perron.volume.files_written.v1"
    name: str


@dataclass(frozen=True)
class VolumeDestroyed:
    """A volume, its files and snapshots are gone."""

    type: ClassVar[str] = "perron.volume.destroyed.v1"
    name: str


class VolumeNotFound(NotFound):
    """The environment has no volume of that name."""


class VolumeRefused(Problem):
    """A volume cannot be like that."""

    status = 422


class VolumeInUse(Conflict):
    """The volume is there already, or something still uses it."""


class ConfirmationMissing(Problem):
    """What cannot be undone needs the name said twice."""

    status = 412


def check(name: str, mount: str, size: int) -> None:
    """Refuse a volume that could not be named, mounted or filled."""
    if not NAME.fullmatch(name):
        raise VolumeRefused(
            f"{name[:60]!r} cannot be a volume's name: use a-z, 0-9 and hyphens, begin with a "
            "letter, 30 at most."
        )
    parts = mount.split("/")
    if not MOUNT.fullmatch(mount) or len(mount) > 200 or "." in parts or ".." in parts:
        raise VolumeRefused(f"{mount[:200]!r} cannot be a mount: use a path such as /data.")
    if taken := next((path for path in (*TAKEN, *TAKEN_TOO) if is_within(mount, path)), None):
        raise VolumeRefused(f"{mount} lies in {taken}, which the platform uses; such as /data.")
    if not SMALLEST <= size <= LARGEST:
        raise VolumeRefused("A volume holds at least 1 MiB and at most 1 PiB.")


def check_beside(mount: str, others: list[Volume]) -> None:
    """Refuse a mount that another volume covers."""
    for other in others:
        if is_within(mount, other.mount) or is_within(other.mount, mount):
            raise VolumeInUse(f"{mount} overlaps {other.mount}, the mount of {other.name!r}.")


def is_within(path: str, folder: str) -> bool:
    """Say whether a path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")
