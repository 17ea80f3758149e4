"""``perron platform restore FOLDER``: a platform put back from a whole backup, or from nothing."""

import json
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from perron import agent, audit
from perron.kit import clock, files, settings, written
from perron.kit.problems import Conflict
from perron.kit.settings import Home, Settings

from . import claims, copies, database, due, keyrings, processes, setup, undoing
from .copies import Copy
from .keyrings import Keys, KeysRefused
from .returning import swap
from .screen import say

BEGUN = ".restoring"  # in a home that was empty: what is there is a restore's, and may go
RESERVE = 64 << 20
OWN = {"version", "slot", "fetch", "http_port", "https_port"}  # settings of a machine, not a state


class PlaceTaken(Conflict):
    """Something is there already that a restore would replace."""


def restore(home: Home, folder: Path, *, keys: Path | None, replace_: bool) -> int:
    """Put a whole backup in place; nothing is changed before all of it is known to be sound."""
    copy = copies.read(folder)
    is_empty = _is_empty(home)
    if not is_empty and not replace_:
        raise PlaceTaken(
            f"There is a platform in {home.path}; nothing was changed. To put the backup in its "
            f"place (what is there is kept beside): perron platform restore {folder} --replace"
        )
    found = _keys(home, copy, keys, is_empty=is_empty)
    _check_states(copy)
    copy.check()
    _check_room(home, copy)
    with _room_told(home):
        if is_empty:
            with _fresh(home):
                _fill_empty(home, copy, found)
        else:
            _replace(home, copy, found)
    _tell(copy)
    return 0


def _fill_empty(home: Home, copy: Copy, found: Keys) -> None:
    """Make a home of a backup; the databases come last, so that nothing runs on half of one."""
    shutil.rmtree(home.path / "keys", ignore_errors=True)
    chosen, told = setup.prepare(home)
    for line in told:
        say(line)
    kept = _settings_of(copy, found)
    found.put(home, besides=("settings.json",))
    if not found.files.get("cli.json"):
        say("The keys have no sign-in of this machine's administrator: perron login TOKEN")
    settings.save(home, _fitting(kept, chosen))
    _unpack_trees(home, copy)
    aside = files.private_folder(home.backups / "before-restore")
    swap(copy.place("node.db"), home.node_database, aside)
    agent.make_fit(home, kept, chosen)
    _unpack_volumes(home, copy)
    for name in copy.parts:
        if name.startswith("audit/"):
            files.private_folder(home.path / "audit")
            files.write_whole(home.path / name, copy.place(name).read_bytes())
    _put_state(home, copy, aside)
    shutil.rmtree(aside, ignore_errors=True)


def _replace(home: Home, copy: Copy, found: Keys) -> None:
    """Put the backup in place of what is there, which moves aside, and back when that fails."""
    processes.wish_down(home, down=True)
    processes.stop_all(home)
    at = clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
    aside = files.private_folder(home.backups / f"replaced-{at}")
    is_other = found.prints != keyrings.of(home).prints
    if _volumes_in(copy) or is_other:
        stopped = agent.stop_everything(home, settings.load(home))
        say(f"Stopped {stopped} instances and the edge: volumes or keys are replaced.")
    with undoing.moved(aside) as moves:
        _unpack_trees(home, copy)
        if is_other:
            moves.then(keyrings.of(home).put, home)
            keyrings.of(home).write(aside / "keys.json")
            found.put(home, besides=("settings.json",))
        if is_other or not home.node_database.exists():
            moves.databases(home.node_database)
            swap(copy.place("node.db"), home.node_database, aside)
            agent.make_fit(home, _settings_of(copy, found), settings.load(home))
        for environment, name in _volumes_in(copy):
            moves.folder(
                home.node / "volumes" / environment / name, f"volumes/{environment}/{name}"
            )
        _unpack_volumes(home, copy)
        moves.databases(home.database)
        _put_state(home, copy, aside)
    say(f"What was there is kept in {aside}.")


@contextmanager
def _room_told(home: Home) -> Iterator[None]:
    """Say in words that the disk got full on the way, when all is as it was again."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as why:
        if not undoing.is_full(why):
            raise
        raise files.DiskFull(
            f"The disk of {home.path} is full, so the backup was not put in place; what was there "
            "is there as before. Make room on this disk, then restore again, or go on with what "
            "there is: perron up"
        ) from why


def _put_state(home: Home, copy: Copy, aside: Path) -> None:
    audit.note_restored(home, copy.place("perron.db"))
    swap(copy.place("perron.db"), home.database, aside)
    written.keep(home, written.read(copy.facts["code"]))


def _keys(home: Home, copy: Copy, given: Path | None, *, is_empty: bool) -> Keys:
    """Return keys that open what is in the backup, or refuse before anything is changed."""
    if given is None and is_empty:
        raise KeysRefused(
            "A backup holds no keys, and this home has none. Give the file that was written with "
            f"it: perron platform restore {copy.folder} --keys FILE"
        )
    found = keyrings.read(given) if given else keyrings.of(home)
    found.check(copy.facts.get("prints", {}), str(given or home.keys))
    return found


def _check_states(copy: Copy) -> None:
    newest = due.newest()
    for name, newest_ in newest.items():
        present = copies.version_of(copy.place(name))
        if present and present > newest_:
            raise database.StateTooNew(
                f"{copy.folder} was made by Perron {copy.facts.get('version')} ({name} {present}), "
                "which is newer than this one. Install that version, then restore."
            )


def _check_room(home: Home, copy: Copy) -> None:
    """Archives grow when they are unpacked: three times what they have is a guess that errs up."""
    needed = 3 * sum(int(part["size"]) for part in copy.parts.values())
    place = next(each for each in (home.path, *home.path.parents) if each.exists())
    files.check_room(place, needed, reserve=RESERVE)


def _is_empty(home: Home) -> bool:
    if (home.path / BEGUN).exists():
        return True
    return not home.settings.exists() and not home.database.exists()


@contextmanager
def _fresh(home: Home) -> Iterator[None]:
    """Let a home begin; when that fails nothing of it is left."""
    if (home.path / BEGUN).exists():
        _forget(home)
    files.private_folder(home.path)
    (home.path / BEGUN).touch(mode=0o600)
    try:
        yield
    except BaseException:
        _forget(home)
        raise
    (home.path / BEGUN).unlink()


def _forget(home: Home) -> None:
    for claim in claims.of(home):
        claim.unlink(missing_ok=True)
    agent.remove_tree(home.path)


def _settings_of(copy: Copy, found: Keys) -> Settings:
    """Return how the platform was set up, credentials in addresses included."""
    text = found.files.get("settings.json") or copy.place("settings.json").read_bytes()
    told: dict[str, Any] = json.loads(text)
    known = {each.name for each in fields(Settings)}
    return replace(Settings(), **{name: told[name] for name in told if name in known})


def _fitting(kept: Settings, chosen: Settings) -> Settings:
    """Return the settings of then, with what belongs to this machine."""
    here = {name: getattr(chosen, name) for name in OWN - {"fetch"}}
    return replace(kept, **here, fetch=kept.fetch | chosen.fetch)


def _unpack_trees(home: Home, copy: Copy) -> None:
    """Put builds, layers and sources where they are missing; what is there never changes."""
    for name in copy.parts:
        kind, _, rest = name.partition("/")
        if kind == "sources" and not (home.sources / rest).exists():
            files.private_folder(home.sources)
            half = home.sources / f".{rest}.half"
            try:
                shutil.copyfile(copy.place(name), half)
                half.rename(home.sources / rest)
            finally:
                half.unlink(missing_ok=True)
        if kind in ("builds", "layers"):
            _unpack_tree(copy.place(name), home.node / kind, rest.removesuffix(".tar.gz"))


def _unpack_tree(archive: Path, folder: Path, name: str) -> None:
    target = files.private_folder(folder) / name
    if target.exists():
        return
    half = folder / f".{name}.restored"
    agent.remove_tree(half)
    try:
        with tarfile.open(archive, "r:gz") as opened:
            # Debian 12's Python has no filters; the archive is ours, and its checksum was right.
            opened.extraction_filter = getattr(tarfile, "tar_filter", None)
            opened.extractall(half)  # noqa: S202
        (half / name).rename(target)
    finally:
        agent.remove_tree(half)


def _volumes_in(copy: Copy) -> list[tuple[str, str]]:
    names = [name.split("/") for name in copy.parts if name.startswith("volumes/")]
    return [(parts[1], parts[2].removesuffix(".tar.gz")) for parts in names if len(parts) == 3]


def _unpack_volumes(home: Home, copy: Copy) -> None:
    for environment, name in _volumes_in(copy):
        part = f"volumes/{environment}/{name}.tar.gz"
        agent.unpack_volume(home, environment, name, copy.place(part))


def _tell(copy: Copy) -> None:
    builds = sum(name.startswith("builds/") for name in copy.parts)
    volumes = len(_volumes_in(copy))
    say(f"Restored from {copy.folder}, made {copy.facts['made'][:19]}Z: state, {builds} builds.")
    if volumes:
        say(f"{volumes} volumes have the files of then.")
    else:
        say("No volume is in this backup: those that are missing here begin empty.")
    say("Next   perron up")
