"""``perron platform backup``: a folder from which apps come up again on an empty machine.

It has the state of server and agent, what live releases run, and volumes when asked; never keys.
What does not change (builds, layers, sources) is shared with the backup before it.
"""

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from perron import agent
from perron.kit import clock, files, settings, written
from perron.kit.settings import Home

from . import copies, due, keyrings
from .copies import Copy

NAMED = "whole-%Y%m%dT%H%M%S.%fZ"
RESERVE = 64 << 20
# What runs or is to run: the builds and sources of every edition of a release.
_LIVE = """SELECT DISTINCT build, source FROM release
           WHERE build IS NOT NULL AND (id IN (SELECT release FROM edition) OR state = 'live')"""


@dataclass(frozen=True)
class Tree:
    """A folder or file of the home that goes into a backup as one part that never changes."""

    part: str
    place: Path


def make(home: Home, *, into: Path | None = None, volumes: bool = False) -> Copy:
    """Back the platform up while it runs; the folder is whole, or not there."""
    folder = into or files.private_folder(home.backups) / clock.now().strftime(NAMED)
    files.private_folder(folder.parent)
    trees = list(_trees(home))
    before = newest(home)
    _check_room(home, folder.parent, trees, before, volumes=volumes)
    code = written.last(home) or written.this()
    facts: dict[str, Any] = {"kind": "whole", "version": code.version, "code": asdict(code)}
    facts |= {"slot": settings.load(home).slot, "prints": keyrings.of(home).prints}
    with copies.making(folder, **facts, states=due.newest(), volumes=volumes) as copy:
        copy.add_database("perron.db", home.database)
        copy.add_database("node.db", home.node_database)
        copy.add_text("settings.json", _settings(home))
        for path in sorted((home.path / "audit").glob("head*")):
            copy.add_file(f"audit/{path.name}", path)
        for tree in trees:
            _add(copy, tree, before)
        for each in agent.kept_volumes(home) if volumes else ():
            name = f"volumes/{each.environment}/{each.name}.tar.gz"
            agent.pack_volume(each, copy.new(name))
            copy.noted(name)
    return copy


def all_of(home: Home) -> list[Path]:
    """Return the whole backups in this home, newest first."""
    return sorted(home.backups.glob("whole-*"), reverse=True)


def newest(home: Home) -> Copy | None:
    """Return the newest whole backup of this home that can be read."""
    for folder in all_of(home):
        try:
            return copies.read(folder)
        except copies.CopyRefused:
            continue
    return None


def _settings(home: Home) -> str:
    """Return how the platform is set up, without addresses that may hold credentials."""
    return json.dumps(asdict(replace(settings.load(home, {}), fetch={})), indent=2) + "\n"


def _trees(home: Home) -> Iterator[Tree]:
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True, timeout=30)) as asked:
        live = asked.execute(_LIVE).fetchall()
    layers: set[str] = set()
    for build in sorted({build for build, _ in live}):
        folder = home.node / "builds" / build
        if (folder / "build.json").exists():
            yield Tree(f"builds/{build}.tar.gz", folder)
            plan = json.loads((folder / "build.json").read_text())["plan"]
            layers |= {plan["layer"]["key"]} if plan.get("layer") else set()
    for key in sorted(layers):
        if (home.node / "layers" / key).is_dir():
            yield Tree(f"layers/{key}.tar.gz", home.node / "layers" / key)
    for source in sorted({source for _, source in live}):
        for path in sorted(home.sources.glob(f"{source}*")):
            yield Tree(f"sources/{path.name}", path)


def _add(copy: Copy, tree: Tree, before: Copy | None) -> None:
    if before and copy.link(tree.part, before):
        return
    if tree.place.is_file():
        copy.add_file(tree.part, tree.place)
        return
    with tarfile.open(copy.new(tree.part), "w:gz", compresslevel=1) as archive:
        archive.add(tree.place, arcname=tree.place.name, filter=_nobodys)
    copy.noted(tree.part)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _check_room(
    home: Home, folder: Path, trees: list[Tree], before: Copy | None, *, volumes: bool
) -> None:
    known = before.parts if before else {}
    fresh = [tree.place for tree in trees if tree.part not in known]
    needed = sum(_size(place) for place in (*fresh, home.database, home.node_database))
    if volumes:
        needed += sum(_size(each.folder) for each in agent.kept_volumes(home))
    files.check_room(folder, needed, reserve=RESERVE)


def _size(place: Path) -> int:
    paths = [place] if place.is_file() else place.rglob("*")
    return sum(path.lstat().st_size for path in paths if not path.is_dir())
