"""What a volume may be called."""

import re

from perron.kit.problems import Conflict, NotFound, Problem

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class VolumeNameRefused(Problem):
    """A volume cannot be called that."""

    status = 422


class VolumeNotFound(NotFound):
    """The environment has no volume by that name."""


class SnapshotNotFound(NotFound):
    """The volume has no snapshot by that name."""


class VolumeMounted(Conflict):
    """Something that runs has the volume mounted, and may write to it."""


class ArchiveRefused(Problem):
    """The archive cannot be unpacked into a volume."""

    status = 422


def checked_name(name: str) -> str:
    """Return the name of a volume if it is one, for it becomes the name of a folder."""
    if not _NAME.fullmatch(name):
        raise VolumeNameRefused(
            f"A volume cannot be called {name[:40]!r}: use up to 31 small letters, digits and "
            "dashes, a letter first."
        )
    return name


def is_over(used: int | None, size: int) -> bool:
    """Say whether a volume is known to have outgrown its size."""
    return used is not None and used > size
