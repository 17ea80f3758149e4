"""Results and layers of builds: found whole, or not at all."""

import ctypes
import json
import math
import os
import re
import threading
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from perron.agent.sandbox import Mount
from perron.contract.node import BuildPlan, Interpreter
from perron.kit.files import private_folder, write_whole
from perron.kit.problems import Permanent
from perron.kit.settings import Home, Settings

from . import trees
from .interpreters import interpreters
from .model import Build, BuildNotFound, layer_target, tools

FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_libc = ctypes.CDLL(None, use_errno=True)


class Builds:
    """The builds and layers of this node; safe to use from any thread.

    Both are put together beside their place, brought onto the disk and renamed: whatever is
    found is whole. A layer goes when the last build that stands on it does.
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._known: dict[str, Build] = {}
        self._lock = threading.Lock()
        self._needed: dict[str, int] = {}  # layers that builds in the making stand on

    def find(self, identity: str) -> Build | None:
        """Return a finished build, None when this node has none by that name."""
        known = self._known.get(identity)
        if known is None and _NAME.fullmatch(identity):
            known = self._read(identity)
        if known is None or not self._is_whole(known):
            self._known.pop(identity, None)
            return None
        self._known[identity] = known
        return known

    def interpreters(self) -> list[Interpreter]:
        """Return the language runtimes of this machine, the newest first."""
        return interpreters(self._settings)

    def size(self, identity: str) -> int:
        """Return the bytes a build takes on the disk, its layer included."""
        found = self.find(identity)
        if found is None:
            raise BuildNotFound(f"This node has no build {identity!r}.")
        return found.size

    def names(self) -> list[str]:
        """Return every finished build's name."""
        folders = private_folder(self._home.node / "builds").iterdir()
        return sorted(each.name for each in folders if _NAME.fullmatch(each.name))

    def unused(self, used: Collection[str], before: datetime) -> list[str]:
        """Return the finished builds not among ``used`` that nobody made or found since then."""
        found = [each for each in self.names() if each not in used]
        return [each for each in found if self._touched(each) < before.timestamp()]

    def note_found(self, identity: str) -> None:
        """Note that somebody needs a build that was here already."""
        with suppress(FileNotFoundError):
            os.utime(self._path(identity) / "build.json")

    def keep(self, identity: str, plan: BuildPlan, app: Path) -> Build:
        """Make a finished build of the folder ``app``, which is taken away and frozen."""
        if found := self.find(identity):
            self.note_found(identity)
            trees.remove(app)
            return found
        if plan.layer and plan.layer.share:
            _let_go(app / plan.layer.folder, self.layer(plan.layer.key))
            _mount_point(app, plan.layer.folder)
        size = trees.freeze(app) + self._layer_size(plan)
        fresh = _empty(self._builds / f".{_checked(identity)}.new")
        _move(app, fresh / "app")
        told = {"format": FORMAT, "size": size, "plan": plan.model_dump(mode="json")}
        write_whole(fresh / "build.json", json.dumps(told))
        _settle(fresh)
        trees.remove(self._builds / identity)  # half of one, or it would have been found
        os.rename(fresh, self._builds / identity)
        _settle(self._builds)
        return self._found(identity)

    def drop(self, identity: str) -> None:
        """Delete a build, and the layer nobody else stands on; gone already is fine."""
        with self._lock:
            found = self.find(identity)
            self._known.pop(identity, None)
            if _NAME.fullmatch(identity):
                trees.remove(self.view(identity))
            if found is None and not (_NAME.fullmatch(identity) and self._path(identity).exists()):
                return
            doomed = self._builds / f".{identity}.old"
            trees.remove(doomed)
            os.rename(self._path(identity), doomed)
            trees.remove(doomed)
            if found and found.layer and not self._is_held(found.layer):
                self._drop_layer(found.layer)

    def layer(self, key: str) -> Path | None:
        """Return a finished layer's folder, None when it must be made."""
        path = self._layers / _checked(key)
        return path if path.is_dir() else None

    def keep_layer(self, key: str, folder: Path) -> Path:
        """Make a finished layer of ``folder``, which is taken away and frozen."""
        if found := self.layer(key):
            return found
        if folder.is_symlink() or not folder.is_dir():
            raise Permanent(f"Installing the dependencies left no folder {folder.name}.")
        trees.freeze(folder)
        fresh = self._layers / f".{key}.new"
        trees.remove(fresh)
        _move(folder, fresh)
        _settle(fresh)
        os.rename(fresh, self._layers / key)
        _settle(self._layers)
        return self._layers / key

    def hold(self, key: str) -> None:
        """Say that a build in the making stands on a layer."""
        with self._lock:
            self._needed[key] = self._needed.get(key, 0) + 1

    def let_go(self, key: str) -> None:
        """Say that it does so no more; its own record holds the layer from now on."""
        with self._lock:
            self._needed[key] = self._needed.get(key, 1) - 1
            if self._needed[key] <= 0:
                del self._needed[key]

    def view(self, identity: str) -> Path:
        """Return the folder that leads to a build by one name where there is no sandbox."""
        return self._home.node / "views" / _checked(identity)

    def tidy(self) -> None:
        """Delete what a killed agent left half made, and layers nobody stands on."""
        for folder in (self._builds, self._layers):
            for each in folder.glob(".*"):
                trees.remove(each)
        with self._lock:
            for each in self._layers.iterdir():
                if not self._is_held(each.name):
                    self._drop_layer(each.name)

    @property
    def _builds(self) -> Path:
        return private_folder(self._home.node / "builds")

    @property
    def _layers(self) -> Path:
        return private_folder(self._home.node / "layers")

    def _read(self, identity: str) -> Build | None:
        folder = self._home.node / "builds" / identity
        try:
            told = json.loads((folder / "build.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        plan = BuildPlan.model_validate(told["plan"])
        mounts = tools(plan)
        if plan.layer and plan.layer.share:
            path = self.layer(plan.layer.key)
            if path is None:
                return None  # half a build is none
            mounts = (Mount(str(path), layer_target(plan)), *mounts)
        layer = plan.layer.key if plan.layer and plan.layer.share else None
        return Build(identity, folder / "app", mounts, tuple(plan.path), told["size"], layer)

    def _touched(self, identity: str) -> float:
        for path in (self._path(identity) / "build.json", self._path(identity)):
            with suppress(FileNotFoundError):
                return path.stat().st_mtime
        return math.inf

    def _path(self, identity: str) -> Path:
        return self._builds / identity

    def _is_whole(self, build: Build) -> bool:
        return build.app.is_dir() and (build.layer is None or self.layer(build.layer) is not None)

    def _found(self, identity: str) -> Build:
        found = self.find(identity)
        if found is None:
            raise Permanent(f"The build {identity!r} could not be kept; build it again.")
        return found

    def _layer_size(self, plan: BuildPlan) -> int:
        path = self.layer(plan.layer.key) if plan.layer and plan.layer.share else None
        return trees.used(path) if path else 0

    def _is_held(self, key: str) -> bool:
        if self._needed.get(key):
            return True
        builds = (self.find(name) for name in self.names())
        return any(each is not None and each.layer == key for each in builds)

    def _drop_layer(self, key: str) -> None:
        doomed = self._layers / f".{key}.old"
        os.rename(self._layers / key, doomed)
        trees.remove(doomed)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Permanent(f"{name!r} cannot be the name of a build or a layer.")
    return name


def _empty(folder: Path) -> Path:
    trees.remove(folder)
    folder.mkdir(mode=0o755)
    return folder


def _move(folder: Path, to: Path) -> None:
    """Rename a read-only folder: an ordinary user must open it for that, and closes it again."""
    folder.chmod(0o755)
    folder.rename(to)
    to.chmod(0o555)


def _let_go(path: Path, layer: Path | None) -> None:
    """Remove the link that led to the layer where nothing could be mounted."""
    if path.is_symlink() and layer and os.readlink(path) == str(layer):
        path.unlink()


def _mount_point(app: Path, folder: str) -> None:
    """Make the folder that the layer is mounted over; later it could not be made."""
    path = app
    for part in Path(folder).parts:
        path = path / part
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise Permanent(f"{folder} in the source is a link or a file; take it out.")
        path.mkdir(exist_ok=True)


def _settle(folder: Path) -> None:
    """Bring a folder, with all in it, onto the disk: one call instead of one for each file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _libc.syncfs(descriptor) != 0:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
