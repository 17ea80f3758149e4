"""Reads an uploaded archive once: refuses what is unsafe, and keeps what detectors may ask for."""

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from perron.builds.model.source import Inspection, SourceRefused
from perron.kit.archives import CarefulTarInfo, members

_CODE, _LOCK, _TEXTS = 512 << 10, 8 << 20, 24 << 20
_ENDINGS = (".py", ".toml", ".txt", ".json", ".cfg", ".lock", ".yaml", ".yml", ".mod", ".rb")
_KINDS = {
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "named pipe",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.DIRTYPE: "folder",
    tarfile.GNUTYPE_SPARSE: "sparse file",
}


@dataclass(frozen=True)
class Contents:
    """A source's files, and the texts of those that say what it is."""

    files: tuple[str, ...]
    texts: dict[str, str]
    count: int

    def as_json(self) -> str:
        """Return what ``from_json`` reads."""
        return json.dumps({"files": self.files, "texts": self.texts, "count": self.count})

    @classmethod
    def from_json(cls, text: str) -> "Contents":
        """Read what ``as_json`` wrote."""
        value = json.loads(text)
        return cls(tuple(value["files"]), value["texts"], value["count"])


def inspect(path: Path, *, limit: int) -> Contents:
    """Return what is in the archive at ``path``, or raise SourceRefused or SourceTooLarge."""
    seen = Inspection(limit)
    files: list[str] = []
    texts: dict[str, str] = {}
    room = _TEXTS
    with _opened(path) as tar:
        for member in members(tar):
            name = seen.see(member.name, _kind(member), member.size, member.linkname)
            if member.isreg() or member.islnk():
                files.append(name)
            if member.isreg() and member.size <= room and _is_telling(name, member.size):
                texts[name] = _text(tar.extractfile(member))
                room -= member.size
    if not files:
        raise SourceRefused("The archive has no files: is this the right folder?")
    return Contents(tuple(files), texts, seen.files)


def read_one(path: Path, name: str) -> str | None:
    """Return the text of one file of an archive that was inspected before."""
    with _opened(path) as tar:
        for member in members(tar):
            if member.isreg() and member.name.removeprefix("./") == name:
                return _text(tar.extractfile(member)) if member.size <= _LOCK else ""
    return None


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open the archive as a stream; whatever is wrong with its bytes is the sender's to mend."""
    try:
        with (
            gzip.open(path) as plain,
            tarfile.open(
                fileobj=plain,
                mode="r|",
                tarinfo=CarefulTarInfo,
                encoding="utf-8",
                errors="surrogateescape",
            ) as tar,
        ):
            yield tar
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as why:
        raise SourceRefused(f"The upload is not a whole tar.gz archive: {why}.") from why


def _kind(member: tarfile.TarInfo) -> str:
    if member.issparse():
        return "sparse file"
    return "file" if member.isreg() else _KINDS.get(member.type, "member of unknown type")


def _is_telling(name: str, size: int) -> bool:
    """Say whether a detector may ask for this file's text."""
    base = name.rpartition("/")[2]
    if name.count("/") > 5:
        return False
    if base in ("package-lock.json", "npm-shrinkwrap.json", "uv.lock"):
        return size <= _LOCK
    return size <= _CODE and (base.endswith(_ENDINGS) or "." not in base.lstrip("."))


def _text(file: IO[bytes] | None) -> str:
    return file.read().decode("utf-8", "replace").replace("\x00", "") if file else ""
