"""Releases: deployed, refused, compared, gone back to, scaled, stopped and destroyed."""

import json

import pytest

from tools.rig import Load
from tools.rig.platform import wait_until


@pytest.fixture(scope="module")
def load(here):
    folder = here.app("load")
    here.perron("deploy", str(folder), "-a", "load", "--create")
    return folder


def release(here, host="load.localhost"):
    return json.loads(here.ask(host)[1])["release"]


def paint(folder, colour):
    source = (folder / "app.py").read_text()
    head, _, rest = source.partition('"colour": "')
    (folder / "app.py").write_text(f'{head}"colour": "{colour}{rest[rest.index(chr(34)) :]}')


def test_a_redeploy_under_load_loses_nothing(here, load):
    with Load(here.http_port, "load.localhost") as visitors:
        wait_until(lambda: visitors.tally.requests > 50)
        paint(load, "green")
        here.perron("deploy", str(load), "-a", "load")
        here.perron("scale", "-a", "load", "web=2")
        here.perron("restart", "-a", "load")
        here.perron("scale", "-a", "load", "web=1")
    assert not visitors.tally.lost, str(visitors.tally)
    assert release(here) == "2"


def test_a_broken_release_is_refused_with_its_last_lines_and_the_old_one_serves(here, load):
    refused = here.perron("deploy", str(here.app("broken")), "-a", "load", check=False)
    assert refused.returncode == 1
    assert "Session store gave up" in refused.stderr
    assert "2 keeps serving" in refused.stderr
    assert release(here) == "2"


def test_releases_are_listed_compared_and_gone_back_to(here, load):
    states = {each["number"]: each["state"] for each in here.json("releases", "-a", "load")}
    assert states == {1: "replaced", 2: "live", 3: "failed"}
    assert "build" in here.perron("releases", "diff", "1", "2", "-a", "load").stdout.lower()
    here.perron("rollback", "1", "-a", "load", "--yes")
    assert release(here) == "4"
    assert json.loads(here.ask("load.localhost")[1])["colour"] == "blue"


def test_an_unchanged_folder_is_not_built_again(here, load):
    builds = {each["number"]: each["build"] for each in here.json("releases", "-a", "load")}
    assert builds[4] == builds[1] != builds[2]


def test_config_makes_a_release_and_secrets_are_masked(here, load):
    here.perron("config", "set", "TOKEN=hunter2hunter2", "-a", "load")
    assert release(here) == "5"
    listed = here.perron("config", "list", "-a", "load")
    assert "TOKEN" in listed.stdout
    assert "hunter2" not in listed.stdout + listed.stderr
    assert "hunter2hunter2" in here.perron("config", "reveal", "TOKEN", "-a", "load").stdout


def test_a_stopped_app_says_so_and_starts_again(here, load):
    here.perron("stop", "-a", "load")
    assert here.status("load.localhost") == 503
    here.perron("start", "-a", "load")
    assert wait_until(lambda: here.status("load.localhost") == 200)


def test_of_two_deploys_the_newest_wins_and_the_other_says_so(here, load):
    paint(load, "red")
    here.perron("deploy", str(load), "-a", "load", "--detach")
    paint(load, "violet")
    here.perron("deploy", str(load), "-a", "load")
    assert json.loads(here.ask("load.localhost")[1])["colour"] == "violet"
    states = [each["state"] for each in here.json("releases", "-a", "load")]
    assert states.count("live") == 1


def test_logs_outlive_releases(here, load):
    said = here.perron("logs", "-a", "load", "--source", "app", "-n", "1000").stdout
    assert "listening, release 1" in said
    assert "listening, release 5" in said
    router = here.perron("logs", "-a", "load", "--source", "router", "-n", "10").stdout
    assert "200" in router


def test_destroying_leaves_nothing_but_events(here, load):
    pids = here.instance_pids()
    assert here.perron("apps", "destroy", "load", check=False).returncode == 2
    here.perron("apps", "destroy", "load", "--yes", "load")
    assert not set(pids) & set(here.instance_pids())
    assert here.status("load.localhost") == 404
    assert here.perron("apps", "info", "load", check=False).returncode == 4
