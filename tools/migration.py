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

from perron.kit.db import open_database
from perron.server import migrations

LANDED = "0001"
NEXT = "0002_people"
TEXT = "People, teams, sessions, audit, quotas, schedules"
FILLED_BY = "from perron.server.migrations import filling"
FILLS = "filling.give_handles(op.get_bind())"
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
            made = command.revision(config, TEXT, True, rev_id=NEXT[:4])
    path = Path(made.path).rename(step)  # type: ignore[union-attr]
    path.write_text(_filling(_tidy(path.read_text())))
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)
    print(path)


def _tidy(source: str) -> str:
    """Take out what the generator says about itself."""
    return re.sub(r"\n *# (### .*|please adjust!.*)", "", source)


def _filling(source: str) -> str:
    """Let the step fill what its new columns need of the rows that are there."""
    source = source.replace("import perron.kit.db\n", f"import perron.kit.db\n{FILLED_BY}\n", 1)
    return source.replace("\n\n\ndef downgrade", f"\n    {FILLS}\n\n\ndef downgrade", 1)


if __name__ == "__main__":
    main()
