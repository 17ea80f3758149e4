"""Folders of copied parts with a manifest: whole or not there, and damage is named by part."""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perron.kit import clock, files, steps
from perron.kit.problems import Conflict

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE = 1 << 20


class CopyRefused(Conflict):
    """A copy cannot be used as it is; nothing was changed."""


@dataclass
class Copy:
    """A folder of parts; ``facts`` say what for, ``parts`` have a checksum each."""

    folder: Path
    facts: dict[str, Any]
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def place(self, name: str) -> Path:
        """Return where a part is."""
        return self.folder / name

    def add_database(self, name: str, source: Path) -> None:
        """Copy a database as it is now, whoever writes to it meanwhile."""
        place = self._ready(name)
        asked = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
        with closing(asked) as present, closing(sqlite3.connect(place)) as fresh:
            present.backup(fresh, pages=-1)
            fresh.execute("PRAGMA journal_mode=DELETE")
            found = str(fresh.execute("PRAGMA quick_check(1)").fetchone()[0])
        if found != "ok":
            raise OSError(f"the copy of {source} is not whole: {found}")
        self._settle(name)

    def add_file(self, name: str, source: Path) -> None:
        """Copy a file."""
        shutil.copyfile(source, self._ready(name))
        self._settle(name)

    def add_text(self, name: str, text: str) -> None:
        """Write a part."""
        self._ready(name).write_text(text)
        self._settle(name)

    def link(self, name: str, known: "Copy") -> bool:
        """Take a part over that an earlier copy has and that never changes; say whether it did."""
        if name not in known.parts or not known.place(name).exists():
            return False
        os.link(known.place(name), self._ready(name))
        self.parts[name] = known.parts[name]
        return True

    def noted(self, name: str) -> None:
        """Take in a part that was written in its place."""
        self._settle(name)

    def new(self, name: str) -> Path:
        """Return a place to write a part to; ``noted`` takes it in."""
        return self._ready(name)

    def check(self, *names: str) -> None:
        """Raise CopyRefused unless these parts (all by default) are as they were made."""
        faults = {name: self.fault_of(name) for name in names or self.parts}
        bad = [name for name, fault in faults.items() if fault]
        if bad:
            more = f", and {len(bad) - 1} more parts" if len(bad) > 1 else ""
            raise CopyRefused(
                f"The backup {self.folder} is damaged: {bad[0]} {faults[bad[0]]}{more}. "
                "Nothing was changed. Use another backup.",
                parts=bad,
            )

    def fault_of(self, name: str) -> str:
        """Say what is wrong with a part; nothing when it is as it was made."""
        told = self.parts.get(name)
        if told is None:
            return "is not in it"
        try:
            if self.place(name).stat().st_size != told["size"]:
                return f"has {self.place(name).stat().st_size} bytes, not {told['size']}"
            is_sound = digest_of(self.place(name)) == told["sha256"]
        except OSError as why:
            return f"cannot be read: {why.strerror}"
        return "" if is_sound else "has another checksum than when it was made"

    def _ready(self, name: str) -> Path:
        place = self.place(name)
        files.private_folder(place.parent)
        return place

    def _settle(self, name: str) -> None:
        place = self.place(name)
        place.chmod(0o600)
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.parts[name] = {"sha256": digest_of(place), "size": place.stat().st_size}


@contextmanager
def making(folder: Path, **facts: Any) -> Iterator[Copy]:
    """Give a copy to fill; it gets its name when it is whole, and is gone when that fails."""
    half = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    files.private_folder(half)
    copy = Copy(half, {"format": FORMAT, "made": clock.now().isoformat(), **facts})
    try:
        yield copy
        text = json.dumps({**copy.facts, "parts": copy.parts}, indent=2)
        files.write_whole(half / MANIFEST, text)
        os.rename(half, folder)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    files.sync_folder(folder.parent)
    copy.folder = folder


def read(folder: Path) -> Copy:
    """Return the copy in a folder, or raise CopyRefused."""
    try:
        told = json.loads((folder / MANIFEST).read_text())
        parts, form = dict(told.pop("parts")), int(told["format"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
        raise CopyRefused(
            f"{folder} is no backup: its {MANIFEST} cannot be read ({type(why).__name__}). "
            "Nothing was changed."
        ) from why
    if form > FORMAT:
        raise CopyRefused(
            f"{folder} was made by Perron {told.get('version', '?')}, which is newer than this "
            "one. Install that version, then restore."
        )
    if strange := [name for name in parts if not _is_inside(name)]:
        raise CopyRefused(f"{folder} names a part outside itself: {strange[0]!r}.")
    return Copy(folder, told, parts)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def version_of(path: Path, *, pragma: bool = False) -> str | None:
    """Return the version of a database's shape, of which nothing is opened for writing."""
    if not pragma:
        return steps.version_in(path)
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            row = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:
        return None
    return str(row[0]) if row else None


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in Path(name).parts
