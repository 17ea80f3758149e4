"""Server and agent of different versions on one platform: the first one, and ones to come."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from perron.contract.node import VERSION
from tools.rig import Platform
from tools.rig.older import SLOT, typed
from tools.rig.platform import BIN, ROOT, wait_until

pytestmark = pytest.mark.fault
OTHER = {"agent": "serve", "serve": "agent"}
ADDED = {  # what versions to come may add: a wish, a report, a job of their own
    "contract/node/wishes.py": ("    stop_first: bool = False\n", '    colour: str = "blue"\n'),
    "contract/node/reports.py": ("    crash_loop: bool = False\n", "    warmth: int = 21\n"),
    "contract/node/jobs.py": ("    terminal: bool = False\n", "    gentle: bool = True\n"),
}


@pytest.fixture
def here():
    made = Platform()
    try:
        made.up().perron("deploy", str(made.app("hello")), "-a", "hello", "--create")
        yield made
    finally:
        made.close()


def newer(made: Platform, by: int) -> list[str]:
    """Write a Perron that speaks a later version, with additions; return how it is started."""
    folder = made.folder / f"newer-{by}"
    shutil.copytree(ROOT / "src/perron", folder / "perron")
    for name, (after, added) in ADDED.items():
        file = folder / "perron" / name
        assert after in file.read_text()
        file.write_text(file.read_text().replace(after, after + added))
    addresses = folder / "perron/contract/node/addresses.py"
    said = addresses.read_text().replace(f"VERSION = {VERSION}\n", f"VERSION = {VERSION + by}\n")
    addresses.write_text(said)
    return ["env", f"PYTHONPATH={folder}", sys.executable, "-m", "perron.server.main"]


def become(made: Platform, name: str, command: list[str]) -> None:
    """Have another Perron be the server or the agent, while the other one of the two goes on."""
    other, before = made.pid(OTHER[name]), made.pid(name)
    os.kill(other, signal.SIGSTOP)  # it would bring back its own kind
    try:
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: made.pid(name) is None)
        with (made.home / "logs" / f"{name}.log").open("ab") as log:
            subprocess.Popen(
                [*command, name], cwd=made.home, env=made.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: made.pid(name) not in (None, before), 60, f"another {name}")
    finally:
        os.kill(other, signal.SIGCONT)
    wait_until(lambda: made.perron("status", check=False).returncode == 0, 60, made.tail())


def works(made: Platform, app: str) -> None:
    """Walk through what people do with an app: every message there is crosses on the way."""
    made.perron("deploy", str(made.app("hello", app)), "-a", app, "--create")
    wait_until(lambda: made.status(f"{app}.localhost") == 200, 20)
    made.perron("scale", "-a", app, "web=2")
    made.perron("config", "set", "-a", app, "WORD=forty-two")
    assert "forty-two" in made.perron("run", "-a", app, "--", "printenv", "WORD").stdout
    wait_until(lambda: made.perron("logs", "-a", app).stdout, 20, "lines")
    made.perron("restart", "-a", app)
    made.perron("maintenance", "on", "-a", app)
    wait_until(lambda: made.status(f"{app}.localhost") == 503, 20)
    made.perron("maintenance", "off", "-a", app)
    made.perron("releases", "-a", app)
    made.perron("rollback", "-a", app, "--yes")
    made.perron("apps", "destroy", app, "--yes", app)
    wait_until(lambda: made.status(f"{app}.localhost") == 404, 20)


def told(made: Platform) -> dict[str, object]:
    return json.loads(made.perron("api", "GET", "/v1/platform").stdout)


def test_todays_server_works_with_the_agent_of_the_first_version(older):
    made = Platform(PERRON_SLOT=SLOT)
    try:
        typed(made, older, "up")
        typed(made, older, "deploy", str(made.app("hello")), "-a", "hello", "--create")
        become(made, "serve", [str(BIN / "perrond")])
        assert made.status("hello.localhost") == 200
        works(made, "mixed")
        assert (told(made)["agent"]["version"], told(made)["agent"]["speaks"]) == ("0.1.0", 1)
        assert (
            "speaks 1, this one 2; the two work together"
            in made.perron("doctor", check=False).stdout
        )
    finally:
        made.close()


def test_todays_agent_works_with_the_server_of_the_first_version(older):
    made = Platform(PERRON_SLOT=SLOT)
    try:
        typed(made, older, "up")
        typed(made, older, "deploy", str(made.app("hello")), "-a", "hello", "--create")
        become(made, "agent", [str(BIN / "perrond")])
        assert made.status("hello.localhost") == 200
        typed(made, older, "scale", "-a", "hello", "web=2")
        typed(made, older, "deploy", str(made.app("hello", "mixed")), "-a", "mixed", "--create")
        typed(made, older, "restart", "-a", "mixed")
        assert "0.1.0" in made.perron("api", "GET", "/v1/health").stdout
        assert made.status("mixed.localhost") == 200
    finally:
        made.close()


def test_the_agent_does_without_what_a_newer_server_adds(here):
    become(here, "serve", newer(here, by=1))
    works(here, "mixed")
    seen = wait_until(lambda: told(here)["agent"], 20)
    wait_until(lambda: here.pid("agent"), 5)
    assert seen["speaks"] == VERSION
    assert "wishes.sets.colour" in seen["not_understood"]
    log = (here.home / "logs/agent.log").read_text()
    assert log.count("and does without: wishes.sets.colour") == 1
    assert "wishes.sets.colour" in here.perron("doctor", check=False).stdout


def test_the_server_does_without_what_a_newer_agent_adds_and_it_is_told_all_anew(here):
    become(here, "agent", newer(here, by=1))
    works(here, "mixed")
    assert told(here)["agent"]["speaks"] == VERSION + 1
    log = (here.home / "logs/serve.log").read_text()
    assert log.count("environments.instances.warmth") == 1


@pytest.mark.parametrize("name", ["serve", "agent"])
def test_two_versions_apart_say_so_and_visitors_are_served(here, name):
    become(here, name, newer(here, by=2))
    wait_until(lambda: "more than one apart" in str(told(here)["agent_refuses"]), 30)
    assert "perron up" in told(here)["agent_refuses"]
    assert here.status("hello.localhost") == 200
    refused = here.perron("deploy", str(here.app("hello", "late")), "-a", "late", "--create",
                          check=False)  # fmt: skip
    assert refused.returncode
    assert "more than one apart" in refused.stdout + refused.stderr
    log = (here.home / "logs/serve.log").read_text()
    assert log.count("The agent and its wishes") <= 1, "said once"
    become(here, name, [str(BIN / "perrond")])
    works(here, "again")
