"""Writes the step of the server's migrations that has not landed yet, anew from the tables.

Steps up to ``LANDED`` stand in people's databases and are never touched; what came after them is
one step, ``NEXT``. Move both on when it has landed: ``python -m tools.migration``.
New columns of tables that have rows need a ``server_default`` or must be nullable.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.operations.ops import MigrationScript

from perron.kit.db import open_database
from perron.server import migrations

LANDED = "0002"
NEXT = "0003_every_page"
TEXT = "What the dashboard and other machines need"
VERSIONS = Path(migrations.FOLDER) / "versions"


def main() -> None:
    step = VERSIONS / f"{NEXT}.py"
    step.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/perron.db")
        with database.connect() as connection, connection.begin():
            config = Config()
            config.set_main_option("script_location", migrations.FOLDER)
            config.attributes["connection"] = connection
            command.upgrade(config, LANDED)
            made = command.revision(
                config, TEXT, True, rev_id=NEXT[:4], process_revision_directives=_drop_empty
            )
    if not made:
        print(f"no table has changed since {LANDED}")
        return
    path = Path(made.path).rename(step)  # type: ignore[union-attr]
    path.write_text(_tidy(path.read_text()))
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)
    print(path)


def _drop_empty(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    """Write no step when nothing has changed."""
    upgrade = directives[0].upgrade_ops
    if upgrade is None or upgrade.is_empty():
        directives.clear()


def _tidy(source: str) -> str:
    """Take out what the generator says about itself."""
    return re.sub(r"\n *# (### .*|please adjust!.*)", "", source)


if __name__ == "__main__":
    main()
