"""Steps of databases: their names, and what opening a current one does not load."""

import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory

from perron.agent import migrations as agents
from perron.kit import steps
from perron.server import migrations as servers

READY = "from pathlib import Path; from perron.kit.settings import Home; home = Home(Path({!r})); "
LOADED = "import sys; print([name for name in sys.modules if name.startswith('alembic')])"


@pytest.mark.parametrize("folder", [agents.FOLDER, servers.FOLDER])
def test_the_name_of_a_step_begins_with_its_version(folder: str) -> None:
    versions = [each.revision for each in ScriptDirectory(folder).walk_revisions()]
    assert steps.known(folder) == versions[::-1]


@pytest.mark.parametrize("opened", ["perron.agent.store", "perron.server.database"])
def test_a_database_that_is_up_to_date_is_opened_without_the_library_of_steps(
    opened: str, tmp_path
) -> None:
    code = READY.format(str(tmp_path)) + f"from {opened} import prepare; prepare(home); " + LOADED
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert "alembic" in said[0].stdout
    assert said[1].stdout == "[]\n"


@pytest.mark.parametrize("room", ["perron.agent", "perron.server"])
def test_steps_that_a_child_takes_leave_their_library_with_it(room: str, tmp_path) -> None:
    name, file = ("agent", "node_database") if room == "perron.agent" else ("server", "database")
    store = "store" if name == "agent" else "database"
    code = READY.format(str(tmp_path)) + (
        f"from {room} import migrations; from {room}.{store} import prepare; "
        "from perron.kit import steps; "
        f"steps.take_ahead(home.{file}, migrations.FOLDER, lambda: prepare(home)); "
        f"print(steps.version_in(home.{file})); prepare(home); " + LOADED
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folder = agents.FOLDER if name == "agent" else servers.FOLDER
    assert ran.stdout == f"{steps.known(folder)[-1]}\n[]\n"


def test_steps_that_fail_in_a_child_are_left_to_its_parent(tmp_path) -> None:
    code = READY.format(str(tmp_path)) + (
        "from perron.kit import steps; from perron.server import migrations\n"
        "def fail(): raise SystemExit('told')\n"
        "steps.take_ahead(home.database, migrations.FOLDER, fail); print('goes on')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "goes on\n"
    assert "Traceback" not in ran.stderr
