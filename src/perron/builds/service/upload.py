"""Takes an archive as it arrives: bounded, to a file of its own, and named when it is whole."""

import os
import secrets
from hashlib import sha256
from pathlib import Path

from perron.builds.model.source import Source, SourceTooLarge, unpacked_limit
from perron.kit.files import check_room, private_folder, sync_folder, write_whole
from perron.kit.settings import Home, Settings

from . import archive

COMING = ".upload-"


class Upload:
    """One archive on its way in; ``finish`` or ``abandon`` ends it."""

    def __init__(self, home: Home, settings: Settings, *, announced: int = 0) -> None:
        self._home, self._settings = home, settings
        folder = private_folder(home.sources)
        self._check_size(announced)
        check_room(folder, announced, reserve=settings.disk_reserve)
        self._path = folder / f"{COMING}{os.getpid()}-{secrets.token_hex(6)}"
        self._file = self._path.open("xb")
        self._digest = sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size += len(chunk)
        self._check_size(self._size)
        if self._size % (16 << 20) < len(chunk):
            check_room(self._home.sources, 0, reserve=self._settings.disk_reserve)
        self._digest.update(chunk)
        self._file.write(chunk)

    def finish(self) -> Source:
        """Look through the archive and keep it under its digest."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        contents = archive.inspect(self._path, limit=unpacked_limit(self._settings.max_source))
        digest = self._digest.hexdigest()
        write_whole(contents_path(self._home, digest), contents.as_json())
        os.replace(self._path, source_path(self._home, digest))
        sync_folder(self._home.sources)
        return Source(digest, self._size, contents.count)

    def abandon(self) -> None:
        """Leave nothing behind; harmless after ``finish``."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _check_size(self, size: int) -> None:
        limit = self._settings.max_source
        if size > limit:
            raise SourceTooLarge(
                f"The source is larger than {limit / 1e6:,.0f} MB. Leave out what is not needed "
                "with .perronignore, or raise PERRON_MAX_SOURCE.",
                limit=limit,
            )


def drop_broken(home: Home) -> None:
    """Remove what a killed server was taking in; nothing else is on its way when one starts."""
    for each in home.sources.glob(f"{COMING}*"):
        each.unlink(missing_ok=True)


def source_path(home: Home, digest: str) -> Path:
    """Return where the archive of that digest is."""
    return home.sources / f"{digest}.tar.gz"


def contents_path(home: Home, digest: str) -> Path:
    """Return where an archive's file list and telling texts are."""
    return home.sources / f"{digest}.json"
