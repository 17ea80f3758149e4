"""Sources: what may be inside an uploaded archive."""

import posixpath
from dataclasses import dataclass, field
from typing import ClassVar

from perron.kit.archives import leads_out
from perron.kit.problems import NotFound, Problem

MAX_FILES = 50_000
MAX_NAME = 1_024
MAX_RATIO = 20
MAX_UNPACKED = 4


@dataclass(frozen=True)
class Source:
    """An archive the platform keeps, named by the digest of its bytes."""

    digest: str
    size: int
    files: int


@dataclass(frozen=True)
class SourceKept:
    """Someone uploaded a source the platform did not have."""

    type: ClassVar[str] = "perron.source.kept.v1"
    digest: str
    size: int
    files: int


class SourceNotFound(NotFound):
    """The platform keeps no source of that digest."""


class SourceRefused(Problem):
    """The archive is not one that can be unpacked safely."""

    status = 422


class SourceTooLarge(Problem):
    """The archive is larger than the platform takes."""

    status = 413


@dataclass
class Inspection:
    """Looks at one member after the other, and refuses what would not be safe to unpack."""

    limit: int
    unpacked: int = 0
    files: int = 0
    _kinds: dict[str, str] = field(default_factory=dict)
    _links: list[tuple[str, str]] = field(default_factory=list)

    def see(self, name: str, kind: str, size: int, target: str = "") -> str:
        """Take note of a member; return its name without ``./`` and a closing slash."""
        clean = check_name(name)
        if kind not in ("file", "folder", "symlink", "hardlink"):
            raise SourceRefused(f"{clean!r} is a {kind}; a source has files, folders and links.")
        self._check_place(clean, kind)
        if kind == "symlink":
            _check_link(clean, target)
        if kind == "hardlink" and self._kinds.get(check_name(target)) != "file":
            raise SourceRefused(f"{clean!r} is a hard link to {target!r}, not a file before it.")
        self._kinds[clean] = kind
        self._count(clean, size)
        return clean

    def _check_place(self, name: str, kind: str) -> None:
        known = self._kinds.get(name)
        if known and not known == kind == "folder":
            raise SourceRefused(f"{name!r} is in the archive twice.")
        for parent in _parents(name):
            if self._kinds.setdefault(parent, "folder") != "folder":
                raise SourceRefused(f"{name!r} lies inside {parent!r}, which is not a folder.")

    def _count(self, name: str, size: int) -> None:
        self.files += 1
        self.unpacked += size
        if self.files > MAX_FILES:
            raise SourceTooLarge(
                f"The source has more than {MAX_FILES:,} files. Leave out what is not needed "
                "with .perronignore.",
                limit=MAX_FILES,
            )
        if size < 0 or self.unpacked > self.limit:
            raise SourceTooLarge(
                f"Unpacked, the source is larger than {self.limit / 1e6:,.0f} MB (at {name!r}). "
                "Leave out what is not needed with .perronignore.",
                limit=self.limit,
            )


def check_name(name: str) -> str:
    """Return a member's name as a clean relative path, or refuse it."""
    if name.startswith("/"):
        raise SourceRefused(f"{name!r} is an absolute path; a source has relative ones only.")
    clean = posixpath.normpath(name)
    if clean == ".." or clean.startswith("../") or ".." in name.split("/"):
        raise SourceRefused(f"{name!r} leaves the source's folder.")
    if len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
        raise SourceRefused(f"{name[:60]!r}… is longer than {MAX_NAME:,} bytes.")
    if any(ord(char) < 32 or char == "\x7f" or 0xD800 <= ord(char) <= 0xDFFF for char in name):
        raise SourceRefused(f"{name!r} has control characters or is not UTF-8: rename it.")
    if any(len(part.encode()) > 255 for part in clean.split("/")):
        raise SourceRefused(f"{name[:60]!r}… has a part longer than 255 bytes.")
    return clean


def unpacked_limit(max_source: int) -> int:
    """Return how large a source may be once unpacked."""
    return max_source * MAX_UNPACKED


def _check_link(name: str, target: str) -> None:
    """Refuse a link that leaves the folder, be it by way of another link."""
    if leads_out(target, name.count("/")):
        raise SourceRefused(
            f"The link {name!r} leads to {target!r}, which is or may be outside the source."
        )


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
