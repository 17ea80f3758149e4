"""What can be done with sources."""

from collections.abc import Iterable
from datetime import datetime

from perron import catalog, quotas
from perron.builds import store
from perron.builds.model.source import Source, SourceKept, SourceNotFound, unpacked_limit
from perron.catalog import App
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.kit.files import write_whole
from perron.kit.settings import Home, Settings
from perron.kit.whereabouts import home_of

from . import archive
from .archive import Contents
from .upload import Upload, contents_path, source_path


def keep_source(home: Home, settings: Settings, stream: Iterable[bytes]) -> Source:
    """Keep an archive that was looked through; the same bytes again are the same source."""
    upload = Upload(home, settings)
    try:
        for chunk in stream:
            upload.write(chunk)
        return upload.finish()
    finally:
        upload.abandon()


def note_source(uow: UnitOfWork, app: App, source: Source) -> None:
    """Write down that the app may be built from this source."""
    if store.find_source(uow, app.id, source.digest) is None:
        quotas.check(uow, app.team, "disk", more=source.size)
    if store.add_source(uow, app.id, source):
        what = SourceKept(source.digest, source.size, source.files)
        spine.record(uow, what, subject=source.digest, of=app.place)


def abandon_source(uow: UnitOfWork, digest: str) -> None:
    """Remove an archive that no app may have after all."""
    if not store.source_kept_by_any(uow, digest):
        _remove(home_of(uow), digest)


def disk_of(uow: UnitOfWork, team: str) -> float:
    """Return how much disk the sources and builds of a team take."""
    return store.size_of_all(uow, catalog.owned_by(uow, team)[0])


def get_source(uow: UnitOfWork, app: str, digest: str) -> Source:
    """Return the app's source, or raise SourceNotFound."""
    source = store.find_source(uow, app, digest)
    if source is None or not source_path(home_of(uow), digest).exists():
        raise SourceNotFound(
            f"The platform keeps no source {digest[:12]} of this app; upload it again.",
            source=digest,
        )
    return source


def contents_of(home: Home, settings: Settings, digest: str) -> Contents:
    """Return a kept source's files and texts; read from the archive if the notes are lost."""
    notes = contents_path(home, digest)
    try:
        return Contents.from_json(notes.read_text())
    except (OSError, ValueError, KeyError):
        limit = unpacked_limit(settings.max_source)
        contents = archive.inspect(source_path(home, digest), limit=limit)
        write_whole(notes, contents.as_json())
        return contents


def prune_sources(
    uow: UnitOfWork, app: str, *, keep: Iterable[str], before: datetime | None = None
) -> list[str]:
    """Forget the app's sources not named in ``keep`` and last sent before a moment; say which."""
    kept = set(keep)
    dropped = [each for each in store.sources_of(uow, app, before=before) if each not in kept]
    for digest in dropped:
        store.drop_source(uow, app, digest)
        if not store.source_kept_by_any(uow, digest):
            _remove(home_of(uow), digest)
    return dropped


def _remove(home: Home, digest: str) -> None:
    contents_path(home, digest).unlink(missing_ok=True)
    source_path(home, digest).unlink(missing_ok=True)
