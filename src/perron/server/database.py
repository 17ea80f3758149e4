"""The server's state: opened only when it is whole, brought up to date, copied every hour."""

from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from perron import audit
from perron.kit import files, lock, steps, written
from perron.kit.db import Database, open_database
from perron.kit.problems import Conflict, Problem, Unavailable
from perron.kit.settings import Home

from . import backups, copies, migrations
from .lockers import locker_of


class StateDamaged(Problem):
    """The database is not whole; nothing is written over it."""

    status = 503


class StateTooNew(Conflict):
    """A newer Perron has written the database; this one would not understand it."""


class StateLocked(Unavailable):
    """Another process keeps the database for itself."""


class RestoreRefused(Conflict):
    """A backup cannot be put in place like this."""


def prepare(home: Home) -> Database:
    """Return the home's database, checked and brought up to date; refuse it by name otherwise."""
    files.private_folder(home.path)
    if home.database.exists():
        _check_whole(home, home.database)
        _copy_before_steps(home)
    database = open_database(f"sqlite:///{home.database}")
    try:
        upgrade(database, written.author(home))
    except OperationalError as why:
        database.dispose()
        if "locked" not in str(why):
            raise
        raise StateLocked(
            f"{home.database} is locked by {locker_of(home.database)}. Stop that, then: perron up."
        ) from why
    home.database.chmod(0o600)
    return database


def upgrade(database: Database, author: str = "a newer one") -> None:
    """Take the database to the newest version in one transaction: all steps, or none."""
    writer = database.connect().execution_options(begin="BEGIN IMMEDIATE")
    with writer as connection, connection.begin():
        _check_known(connection, author)
        steps.take(connection, migrations.FOLDER)


def backup(home: Home) -> Path:
    """Copy the state as it is now, and return where the copy is."""
    return backups.make(home)


def restore(home: Home, file: Path) -> Path:
    """Put a backup in place of the state; return where the present state is kept."""
    if pid := lock.holder(home.run / "serve.lock"):
        raise RestoreRefused(
            f"The server (process {pid}) uses the state. Stop it first: perron down.", pid=pid
        )
    if fault := backups.fault_of(file):
        raise RestoreRefused(f"{file} is not a whole backup: {fault}.{_advice(home, besides=file)}")
    audit.note_restored(home, file)  # first: dying between the two accuses nobody
    return backups.put_in_place(home, file)


def _copy_before_steps(home: Home) -> None:
    """Keep the state as it is when another version is to be made of it."""
    present = copies.version_of(home.database)
    if present in steps.known(migrations.FOLDER)[:-1]:
        backups.make(home)


def _check_whole(home: Home, path: Path) -> None:
    if fault := backups.fault_of(path):
        raise StateDamaged(
            f"{path} is damaged: {fault}. Apps go on running.{_advice(home)}", path=str(path)
        )


def _advice(home: Home, *, besides: Path | None = None) -> str:
    good = backups.newest_good(home, besides=besides)
    if good is None:
        return f" There is no good backup in {home.backups}."
    return f" The newest good backup is {good}. Next: perron platform restore {good}"


def _check_known(connection: Connection, author: str) -> None:
    present = steps.version_of(connection)
    if present is not None and present not in steps.known(migrations.FOLDER):
        raise StateTooNew(
            f"The state has version {present!r}, which this Perron does not know: {author} wrote "
            "it. Install that version again, or restore a backup made before it."
        )
