"""What can be done with volumes."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from perron.agent.logs import Logs
from perron.agent.places import Places
from perron.agent.sandbox import Mount
from perron.contract.node import VolumeMount, VolumeView
from perron.kit import clock
from perron.kit.db import Database, reading, unit_of_work
from perron.kit.files import check_room, private_folder, sync_folder
from perron.kit.problems import Temporary
from perron.kit.settings import Settings

from . import files, replacing, store
from .model import SnapshotNotFound, VolumeNotFound, checked_name, is_over

RESTS = 20.0  # a measuring that took a second is repeated after as many as this, at least a minute
QUICK = 0.2  # one that took less is repeated whenever somebody asks
SNAPSHOT = "%Y%m%dT%H%M%SZ"


class Volumes:
    """The volumes of this node; safe to use from any thread."""

    def __init__(self, database: Database, settings: Settings, places: Places, logs: Logs) -> None:
        self._database = database
        self._settings = settings
        self._places = places
        self._logs = logs
        self._used: dict[Path, int] = {}
        self._quick: set[Path] = set()
        self._told: set[Path] = set()
        self._making = threading.Lock()
        self._held: set[str] = set()

    def ensure(self, environment: str, name: str, size: int) -> Path:
        """Return the folder of a volume, made when it was not there, with its size noted."""
        folder = self._folder(environment, name)
        with self._making:
            with reading(self._database) as uow:
                known = store.of_environment(uow, environment).get(name)
            if known != size:
                with unit_of_work(self._database) as uow:
                    store.keep(uow, environment, name, size)
            if not folder.exists():
                _make(folder, self._places.uid_of(environment))
                self._quick.add(folder)
        return folder

    def mounts(self, environment: str, wanted: Sequence[VolumeMount]) -> tuple[Mount, ...]:
        """Return what to mount into a sandbox of the environment, ready to be written to."""
        if wanted and environment in self._held:
            raise Temporary("a volume of it is being put back; it starts when that is done")
        return tuple(
            Mount(str(self.ensure(environment, each.name, each.size)), each.mount, writable=True)
            for each in wanted
        )

    def list(self, environment: str) -> list[VolumeView]:
        """Return the volumes of an environment; ``used`` is None until they were measured."""
        with reading(self._database) as uow:
            known = store.of_environment(uow, environment)
        return [self._view(environment, name, size) for name, size in known.items()]

    def find(self, environment: str, name: str) -> VolumeView:
        """Return one volume, or raise VolumeNotFound."""
        with reading(self._database) as uow:
            known = store.of_environment(uow, environment)
        if name not in known:
            told = ", ".join(known) or "none"
            raise VolumeNotFound(f"There is no volume {name[:40]!r} here; there are: {told}.")
        return self._view(environment, name, known[name])

    def download(self, environment: str, name: str) -> Iterator[bytes]:
        """Give the files of a volume as a tar archive, piece by piece."""
        self.find(environment, name)
        return files.stream(self._folder(environment, name), self._places.uid_of(environment))

    def upload(self, environment: str, name: str, archive: Path) -> VolumeView:
        """Put the files of a tar archive into a volume, over what is there."""
        self.find(environment, name)
        folder = self._folder(environment, name)
        check_room(folder, archive.stat().st_size, reserve=self._settings.disk_reserve)
        files.unpack(archive, folder, self._places.uid_of(environment))
        self._measure(folder)
        return self.find(environment, name)

    def snapshot(self, environment: str, name: str) -> VolumeView:
        """Keep the files of a volume as they are now, beside it."""
        self.find(environment, name)
        folder = self._folder(environment, name)
        kept = private_folder(self._places.snapshots(environment) / name)
        check_room(kept, files.measure(folder), reserve=self._settings.disk_reserve)
        whole = _free_name(kept)
        half = whole.with_suffix(".half")
        try:
            with half.open("xb") as file:
                files.pack(folder, self._places.uid_of(environment), file, compress=True)
                file.flush()
                os.fsync(file.fileno())
            half.replace(whole)
        finally:
            half.unlink(missing_ok=True)
        sync_folder(kept)
        return self.find(environment, name)

    @contextmanager
    def holding(self, environment: str) -> Iterator[None]:
        """Have nothing of the environment start with a volume until this is over."""
        self._held.add(environment)
        try:
            yield
        finally:
            self._held.discard(environment)

    def restore(self, environment: str, name: str, snapshot: str) -> VolumeView:
        """Keep the files as they are now, then put those of a snapshot in their place.

        Nothing may have the volume mounted. The files change at once, or not at all.
        """
        kept = self.find(environment, name).snapshots
        if snapshot not in kept:
            raise SnapshotNotFound(
                f"{name} has no snapshot {snapshot[:40]!r}; there are: {', '.join(kept) or 'none'}."
            )
        archive = self._places.snapshots(environment) / name / f"{snapshot}.tar.gz"
        folder = self._folder(environment, name)
        check_room(folder, replacing.size_of(archive), reserve=self._settings.disk_reserve)
        self.snapshot(environment, name)
        fresh = folder.with_name(f".{name}.restored")
        files.remove(fresh)
        try:
            _make(fresh, self._places.uid_of(environment))
            files.unpack(archive, fresh, self._places.uid_of(environment))
            replacing.exchange(fresh, folder)
        finally:
            files.remove(fresh)
        self._measure(folder)
        return self.find(environment, name)

    def destroy(self, environment: str, name: str) -> None:
        """Remove a volume with its files and snapshots, for good."""
        self.find(environment, name)
        self._remove(environment, name)

    def forget(self, environment: str) -> None:
        """Remove every volume of an environment that has ended."""
        with reading(self._database) as uow:
            known = store.of_environment(uow, environment)
        for name in known:
            self._remove(environment, name)
        files.remove(self._places.volumes(environment))
        files.remove(self._places.snapshots(environment))

    def watch(self, ending: threading.Event) -> None:
        """Measure every volume again and again; tell the log when one outgrows its size."""
        pause = 1.0  # what an agent before this one measured is forgotten
        while not ending.wait(pause):
            began = time.monotonic()
            self.measure()
            pause = max(60.0, RESTS * (time.monotonic() - began))

    def measure(self) -> None:
        """Measure every volume once."""
        with reading(self._database) as uow:
            known = store.everything(uow)
        for environment, name, size in known:
            folder = self._folder(environment, name)
            used = self._measure(folder)
            if is_over(used, size) and folder not in self._told:
                self._told.add(folder)
                self._logs.say(environment, _too_large(name, used, size))
            elif not is_over(used, size):
                self._told.discard(folder)

    def _view(self, environment: str, name: str, size: int) -> VolumeView:
        folder = self._places.home.node / "snapshots" / environment / name
        kept = sorted(path.name.removesuffix(".tar.gz") for path in folder.glob("*.tar.gz"))
        place = self._folder(environment, name)
        used = self._measure(place) if place in self._quick else self._used.get(place)
        return VolumeView(name=name, size=size, used=used, quota="watched", snapshots=kept)

    def _measure(self, folder: Path) -> int:
        began = time.monotonic()
        used = self._used[folder] = files.measure(folder)
        is_quick = time.monotonic() - began < QUICK
        (self._quick.add if is_quick else self._quick.discard)(folder)
        return used

    def _remove(self, environment: str, name: str) -> None:
        folder = self._folder(environment, name)
        files.remove(folder)
        files.remove(self._places.snapshots(environment) / name)
        with unit_of_work(self._database) as uow:
            store.drop(uow, environment, name)
        self._used.pop(folder, None)
        self._quick.discard(folder)

    def _folder(self, environment: str, name: str) -> Path:
        return self._places.volumes(environment) / checked_name(name)


def _make(folder: Path, uid: int) -> None:
    """Make a folder that is the environment's own; nobody sees it before it is."""
    fresh = folder.with_name(f".{folder.name}.new")
    fresh.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(fresh, uid, uid)
    fresh.replace(folder)
    sync_folder(folder.parent)


def _free_name(folder: Path) -> Path:
    """Return a place for a snapshot that is named by now; two in a second are a second apart."""
    at = clock.now()
    while (place := folder / f"{at.strftime(SNAPSHOT)}.tar.gz").exists():
        at += timedelta(seconds=1)
    return place


def _too_large(name: str, used: int, size: int) -> str:
    return (
        f"The volume {name} holds {used / 1e6:.0f} MB, more than its {size / 1e6:.0f} MB. "
        "Nothing stops it on this file system: make room, or give it a larger size."
    )
