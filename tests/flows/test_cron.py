"""Commands by the clock on a real platform: from perron.toml and by hand, through kills."""

import json

import pytest

from tools.rig.platform import wait_until

TOML = """
[cron.greet]
schedule = "0 3 * * *"
command = "echo greetings from $PERRON_PROCESS of release $PERRON_RELEASE"
timezone = "Europe/Berlin"

[cron.wait]
schedule = "@yearly"
command = "echo begun; sleep 4; echo ended"
"""


@pytest.fixture(scope="module")
def hello(here):
    folder = here.app("hello")
    path = folder / "perron.toml"
    path.write_text((path.read_text() if path.exists() else "") + TOML)
    here.perron("deploy", str(folder), "-a", "hello", "--create")
    wait_until(lambda: len(schedules(here)) == 2, 20)
    return folder


def schedules(here):
    return {each["name"]: each for each in here.json("cron", "-a", "hello")}


def logs(here):
    return here.perron("logs", "-a", "hello", "--source", "cron").stdout


def last(here, name):
    """What became of it the last time; nothing while nobody answers."""
    words = ("cron", "history", name, "-a", "hello", "-n", "1", "--json")
    done = here.perron(*words, check=False)
    return json.loads(done.stdout)[0] if done.returncode == 0 else {"state": None}


def test_a_deploy_brings_the_schedules_of_its_file(here, hello):
    found = schedules(here)["greet"]
    assert (found["origin"], found["timezone"]) == ("perron.toml", "Europe/Berlin")
    refused = here.perron("cron", "remove", "greet", "-a", "hello", check=False)
    assert refused.returncode == 5
    assert "greet" in here.perron("cron", "-a", "hello").stdout


def test_run_by_hand_it_is_a_job_of_the_live_release_with_its_log(here, hello):
    done = here.perron("cron", "run", "greet", "-a", "hello")
    assert "greet is done" in done.stderr
    wait_until(lambda: "greetings from cron of release 1" in logs(here), 10)
    assert last(here, "greet")["exit_code"] == 0


def test_a_command_that_fails_ends_with_one_and_says_how(here, hello):
    here.perron("cron", "add", "bad", "@yearly", "echo oh no; exit 7", "-a", "hello")
    failed = here.perron("cron", "run", "bad", "-a", "hello", check=False)
    assert failed.returncode == 1
    assert "exited with code 7" in failed.stderr
    assert last(here, "bad")["exit_code"] == 7
    here.perron("cron", "remove", "bad", "-a", "hello")


def test_a_run_outlives_server_and_agent(here, hello):
    here.perron("cron", "run", "wait", "--detach", "-a", "hello")
    wait_until(lambda: last(here, "wait")["state"] == "running", 20)
    here.kill("serve")
    here.kill("agent")
    here.up()
    wait_until(lambda: last(here, "wait")["state"] == "done", 40)
    wait_until(lambda: "ended" in logs(here), 20)
    assert logs(here).count("begun") == 1


def test_what_is_no_schedule_is_refused_with_an_example(here, hello):
    refused = here.perron("cron", "add", "odd", "61 * * * *", "true", "-a", "hello", check=False)
    assert refused.returncode == 2
    assert "'0 3 * * *'" in refused.stderr


def test_every_run_is_in_the_audit_trail(here, hello):
    found = {each["type"] for each in here.json("audit", "--type", "schedule", "-n", "100")}
    assert {"perron.schedule.ran.v1", "perron.schedule.failed.v1"} <= found


def test_the_platforms_own_work_is_listed_and_run_by_hand(here, hello):
    listed = {each["name"] for each in here.json("cron", "--platform")}
    assert listed == {"backup", "prune"}
    here.perron("cron", "run", "backup", "--platform")
    assert list((here.home / "backups").glob("perron-*.db"))
    here.perron("cron", "run", "prune", "--platform")
    assert "Done" in here.perron("cron", "history", "prune", "--platform").stdout
