"""The steps a database took, known without the library that takes them.

Alembic costs 10 MB and a quarter of a second in every process that imports it, and is needed
only on the day of an upgrade. The name of each step's file begins with its version.
"""

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = "alembic_version"


def version_of(connection: "Connection") -> str | None:
    """Return the version of a database; None before there is any."""
    from sqlalchemy import inspect

    if not inspect(connection).has_table(_TABLE):
        return None
    found = connection.exec_driver_sql(f"SELECT version_num FROM {_TABLE}").scalar()  # noqa: S608
    return None if found is None else str(found)


def version_in(path: Path) -> str | None:
    """Return the version of a database that nobody opens for writing; None when it has none."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            row = connection.execute(f"SELECT version_num FROM {_TABLE}").fetchone()  # noqa: S608
    except sqlite3.DatabaseError:
        return None
    return str(row[0]) if row else None


def known(folder: str) -> list[str]:
    """Return every version these steps lead to, the newest last."""
    names = (path.name for path in (Path(folder) / "versions").glob("*.py"))
    return sorted(name.split("_")[0] for name in names if re.match(r"\d{4}_", name))


def take_ahead(path: Path, folder: str, prepare: Callable[[], object]) -> None:
    """Have a child prepare a database that has steps before it: what that loads goes with it.

    To be called before there are threads. Whatever fails there fails again, in words, for its
    parent, which prepares afterwards as if nobody had.
    """
    if version_in(path) == known(folder)[-1]:
        return
    if child := os.fork():
        os.waitpid(child, 0)
        return
    try:
        prepare()
    finally:
        os._exit(0)


def take(connection: "Connection", folder: str) -> None:
    """Take a database to the newest version, inside the transaction that is open."""
    if version_of(connection) == known(folder)[-1]:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
