"""Environments, domains, maintenance, protection, one-off commands and exec."""

import base64
import json
import os
import signal

import pytest

from tools.rig.platform import wait_until


@pytest.fixture(scope="module")
def hello(here):
    folder = here.app("hello")
    here.perron("deploy", str(folder), "-a", "hello", "--create")
    return folder


def test_staging_goes_to_production_with_the_same_build_and_its_own_config(here, hello):
    here.perron("env", "create", "staging", "-a", "hello")
    here.perron("config", "set", "GREETING=hi", "-a", "hello", "-e", "staging")
    here.perron("deploy", str(hello), "-a", "hello", "-e", "staging")
    assert here.status("hello--staging.localhost") == 200
    here.perron(
        "deploy", "-a", "hello", "--from-release", "1", "--from-environment", "staging",
        "--force", check=False,
    )  # fmt: skip
    staging = here.json("releases", "-a", "hello", "-e", "staging")[0]
    production = here.json("releases", "-a", "hello")[0]
    assert staging["build"] == production["build"]
    assert "GREETING" not in here.perron("config", "list", "-a", "hello").stdout


def test_a_domain_leads_to_the_app_until_it_is_removed(here, hello):
    here.perron("domains", "add", "www.shop.test", "-a", "hello")
    assert here.status("www.shop.test") in (200, 301, 308), "the answer came when it was so"
    listed = here.perron("domains", "list", "-a", "hello").stdout
    assert "www.shop.test" in listed
    taken = here.perron("domains", "add", "www.shop.test", "-a", "hello", "-e", "staging",
                        check=False)  # fmt: skip
    assert taken.returncode != 0
    here.perron("domains", "remove", "www.shop.test", "-a", "hello", "--yes")
    assert here.status("www.shop.test") == 404


def test_maintenance_shows_a_page_and_ends(here, hello):
    here.perron("maintenance", "on", "-a", "hello")
    assert here.status("hello.localhost") == 503
    told = json.loads(here.perron("maintenance", "off", "-a", "hello", "--json").stdout)
    assert told["applied"] is True
    assert here.status("hello.localhost") == 200


def test_what_the_edge_has_not_done_yet_is_said(here, hello):
    agent = here.pid("agent")
    os.kill(agent, signal.SIGSTOP)
    try:
        told = here.perron("maintenance", "on", "-a", "hello")
    finally:
        os.kill(agent, signal.SIGCONT)
    assert "the edge has not said yet" in told.stdout + told.stderr
    wait_until(lambda: here.status("hello.localhost") == 503, 20)
    here.perron("maintenance", "off", "-a", "hello")


def test_what_is_not_public_yet_asks_for_a_password(here, hello):
    here.perron("protect", "--user", "team", "--password-stdin", "-a", "hello", "-e", "staging",
                input="open sesame\n")  # fmt: skip
    host = "hello--staging.localhost"
    assert here.status(host) == 401
    right = base64.b64encode(b"team:open sesame").decode()
    wrong = base64.b64encode(b"team:wrong").decode()
    assert here.ask(host, headers={"Authorization": f"Basic {right}"})[0] == 200
    assert here.ask(host, headers={"Authorization": f"Basic {wrong}"})[0] == 401
    here.perron("protect", "--off", "-a", "hello", "-e", "staging")
    assert here.status(host) == 200


def test_a_one_off_command_has_the_apps_config_and_passes_its_code_on(here, hello):
    here.perron("config", "set", "COLOUR=teal", "-a", "hello")
    ran = here.perron("run", "-a", "hello", "--", "sh", "-c", "cat; echo $COLOUR; exit 9",
                      input="from here\n", check=False)  # fmt: skip
    assert (ran.returncode, ran.stdout) == (9, "from here\nteal\n")


def test_exec_is_inside_the_running_sandbox(here, hello):
    inside = here.perron("exec", "web.1", "-a", "hello", "--", "sh", "-c",
                         "echo $PERRON_INSTANCE; id -u; ls /app")  # fmt: skip
    name, uid, *files = inside.stdout.split()
    assert name == "web.1"
    assert uid != "0"
    assert "Procfile" in files
    missing = here.perron("exec", "web.7", "-a", "hello", "--", "true", check=False)
    assert missing.returncode == 4


def test_no_app_sees_files_or_processes_of_another(here, hello):
    ran = here.perron("run", "-a", "hello", "--", "sh", "-c",
                      f"ls {here.home} /root /home/*/ 2>&1; ps ax 2>/dev/null | wc -l; id -u",
                      check=False)  # fmt: skip
    assert "perron.db" not in ran.stdout
    assert "master.key" not in ran.stdout


def test_limits_are_shown_with_how_they_hold(here, hello):
    instances = here.json("ps", "-a", "hello")
    assert set(instances[0]["limits"].values()) <= {"enforced", "watched", "open"}
    assert json.dumps(instances[0]["limits"]).count("memory") == 1


def test_a_destroyed_environment_is_gone_and_the_other_stays(here, hello):
    assert here.perron("env", "destroy", "staging", "-a", "hello", check=False).returncode == 2
    here.perron("env", "destroy", "staging", "-a", "hello", "--yes", "staging")
    assert here.status("hello--staging.localhost") == 404
    assert here.status("hello.localhost") == 200
