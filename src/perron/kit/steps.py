"""The steps a database took, known without the library that takes them.

Alembic costs 10 MB and a quarter of a second in every process that imports it, and is needed
only on the day of an upgrade. The name of each step's file begins with its version.
"""

import re
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


def known(folder: str) -> list[str]:
    """Return every version these steps lead to, the newest last."""
    names = (path.name for path in (Path(folder) / "versions").glob("*.py"))
    return sorted(name.split("_")[0] for name in names if re.match(r"\d{4}_", name))


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
