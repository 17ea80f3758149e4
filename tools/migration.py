"""Writes a step of the server's migrations from the tables: ``python -m tools.migration TEXT``.

Without a text the first step is written anew; that is done only before the first landing.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from perron.kit.db import open_database
from perron.server import migrations

FIRST = Path(migrations.FOLDER) / "versions" / "0001_first.py"


def main() -> None:
    text = " ".join(sys.argv[1:])
    if not text:
        FIRST.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/perron.db")
        with database.connect() as connection, connection.begin():
            config = Config()
            config.set_main_option("script_location", migrations.FOLDER)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            made = command.revision(config, text or "The first tables", True, rev_id=_next())
    path = Path(made.path)  # type: ignore[union-attr]
    if not text:
        path = path.rename(FIRST)
    path.write_text(_tidy(path.read_text()))
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)
    print(path)


def _next() -> str:
    known = [path.name[:4] for path in FIRST.parent.glob("[0-9]*.py")]
    return f"{int(max(known, default='0')) + 1:04}"


def _tidy(source: str) -> str:
    """Take out what the generator says about itself."""
    return re.sub(r"\n *# (### .*|please adjust!.*)", "", source)


if __name__ == "__main__":
    main()
