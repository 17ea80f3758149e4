"""Copies of the server's state: made whole, checked, and kept as the settings say."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from perron.kit import clock, files
from perron.kit.settings import Home

from .retention import Policy, to_keep

RESERVE = 64 << 20
FORMAT = "perron-%Y%m%dT%H%M%S.%fZ.db"


def make(home: Home) -> Path:
    """Copy the state as it is now; the copy is whole and checked before it gets its name."""
    folder = files.private_folder(home.backups)
    files.check_room(folder, home.database.stat().st_size, reserve=RESERVE)
    final = folder / clock.now().strftime(FORMAT)
    temporary = folder / f".{final.name}.part"
    temporary.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(home.database, timeout=30)) as connection:
            connection.execute("VACUUM INTO ?", (str(temporary),))
        if fault := fault_of(temporary):
            raise OSError(f"the copy is not whole: {fault}")
        temporary.chmod(0o600)
        _sync(temporary)
        os.replace(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)
    files.sync_folder(folder)
    return final


def fault_of(path: Path) -> str | None:
    """Return what is wrong with a database file; None when it is whole."""
    if not path.is_file():
        return "there is no such file"
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            is_state = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as why:
        return None if "locked" in str(why) else str(why)  # locked is not damaged
    except sqlite3.DatabaseError as why:
        return str(why)
    if found != "ok":
        return found.splitlines()[0]
    return None if is_state or path.stat().st_size == 0 else "it is empty"


def all_of(home: Home) -> list[Path]:
    """Return the backups, newest first."""
    return sorted(home.backups.glob("perron-*.db"), reverse=True)


def newest_good(home: Home, *, besides: Path | None = None) -> Path | None:
    """Return the newest backup that is whole."""
    found = sorted([*all_of(home), *home.backups.glob("whole-*/perron.db")], key=_moment)
    good = (each for each in reversed(found) if each != besides and fault_of(each) is None)
    return next(good, None)


def _moment(backup: Path) -> str:
    """Return when a backup was made, as the name of its file or folder says."""
    name = backup.parent.name if backup.name == "perron.db" else backup.name
    return name.partition("-")[2].removesuffix(".db")


def prune(home: Home, policy: Policy) -> None:
    """Keep what is to be kept of the copies; let go of the rest."""
    kept = to_keep(all_of(home), policy)
    for each in all_of(home):
        if each not in kept:
            each.unlink(missing_ok=True)


def put_in_place(home: Home, file: Path) -> Path:
    """Make ``file`` the state; the present one moves aside with all that belongs to it."""
    aside = files.private_folder(home.backups / clock.now().strftime("replaced-%Y%m%dT%H%M%S.%fZ"))
    incoming = home.path / ".perron.db.incoming"
    try:
        shutil.copyfile(file, incoming)
        incoming.chmod(0o600)
        _sync(incoming)
    except OSError:
        incoming.unlink(missing_ok=True)
        aside.rmdir()
        raise
    for end in ("-wal", "-shm", ""):  # the log first: it may never meet another database
        present = home.database.with_name(home.database.name + end)
        if present.exists():
            os.replace(present, aside / present.name)
    os.replace(incoming, home.database)
    files.sync_folder(home.path)
    return aside


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
