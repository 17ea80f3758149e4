"""Where no sandbox can be made, one team's trusted apps run without one, once somebody said so.

A bwrap that fails stands for a machine without user namespaces.
"""

import json
import os
import shutil
import signal

import pytest

from tools.rig.platform import Platform, wait_until


@pytest.fixture(scope="module")
def here():
    made = Platform()
    bwrap = made.folder / "bwrap"
    bwrap.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    bwrap.chmod(0o755)
    made.environment["PERRON_BWRAP"] = str(bwrap)
    try:
        refused = made.perron("up", check=False)
        assert refused.returncode == 1
        assert "perron up --trusted" in refused.stderr
        made.perron("up", "--trusted")
        yield made
    finally:
        made.close()


def test_apps_run_and_everybody_is_told_what_is_open(here):
    here.perron("deploy", str(here.app("hello")), "--create")
    assert here.status("hello.localhost") == 200
    promises = json.loads(
        here.perron("api", "GET", "/v1/platform/promises").stdout
    )  # fmt: skip
    standing = {each["code"]: each["standing"] for each in promises["promises"]}
    assert promises["tier"] == "C"
    assert promises["several_teams"] is False
    assert standing["files"] == standing["processes"] == "open"
    assert standing["kernel"] == "enforced"
    doctor = here.perron("doctor", check=False).stdout
    assert "without a sandbox" in doctor


def test_dependencies_are_found_where_they_were_built(here):
    here.perron("deploy", str(here.app("flask")), "--create")
    assert here.status("flask.localhost") == 200
    code = "import flask, sys; print(sys.prefix)"
    done = here.perron("run", "-a", "flask", "--", "python", "-c", code)
    assert ".venv" in done.stdout


@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on this machine")
def test_packages_of_node_find_each_other_where_they_were_built(here):
    here.perron("deploy", str(here.app("node")), "--create")
    assert here.status("node.localhost") == 200
    code = "import('express').then(m => console.log(typeof m.default))"
    assert "function" in here.perron("run", "-a", "node", "--", "node", "-e", code).stdout


def test_a_folder_of_pages_is_served(here):
    here.perron("deploy", str(here.app("site")), "--create")
    assert here.status("site.localhost") == 200


def test_a_command_runs_beside_the_app_with_its_environment(here):
    here.perron("config", "set", "-a", "hello", "COLOUR=green")
    wait_until(lambda: here.status("hello.localhost") == 200)
    done = here.perron("exec", "web.1", "-a", "hello", "--", "sh", "-c", "echo $COLOUR; exit 7",
                       check=False)  # fmt: skip
    assert (done.stdout.strip(), done.returncode) == ("green", 7)


def test_a_killed_app_comes_back_and_a_killed_platform_finds_it(here):
    for name in ("agent", "serve"):
        before = here.pid(name)
        here.kill(name)
        wait_until(lambda: here.pid(name) not in (None, before), 40, f"{name} is back")  # noqa: B023
        wait_until(lambda: here.perron("apps", check=False).returncode == 0, 60, "answering")
    assert here.status("hello.localhost") == 200
    (app,) = here.instance_pids("server.py")[-1:]
    os.kill(app, signal.SIGKILL)
    wait_until(lambda: app not in here.instance_pids("server.py"), 40, "dead")
    wait_until(lambda: here.status("hello.localhost") == 200, 60, "served again")


def test_an_app_keeps_no_right_to_what_no_app_needs(here):
    code = "import ctypes; c=ctypes.CDLL(None,use_errno=True); print(c.unshare(0x10000000))"
    done = here.perron("run", "-a", "hello", "--", "python3", "-c", code)
    assert done.stdout.strip() == "-1"
    done = here.perron("run", "-a", "hello", "--", "sh", "-c", "grep CapEff /proc/self/status")
    assert done.stdout.split()[-1] == "0" * 16


def test_everything_ends_with_the_platform(here):
    here.perron("platform", "destroy", "--yes", "p")
    wait_until(lambda: not here.leftovers() and not here.edge_pids(), 10)
