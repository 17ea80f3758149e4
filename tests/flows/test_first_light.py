"""The first minute: up, an app on a URL, and a server whose death nobody notices."""

import json
import os

from tools.rig.platform import wait_until


def test_a_second_up_finds_it_running(here):
    assert "nothing to do" in here.perron("up").stderr


def test_an_app_with_a_procfile_goes_live_and_is_named_in_the_first_line(here):
    done = here.perron("deploy", str(here.app("hello")), "--create")
    assert done.stderr.splitlines()[0].startswith("hello, production: release 1")
    assert done.stdout.strip() == f"http://hello.localhost:{here.http_port}/"
    assert here.status("hello.localhost") == 200


def test_a_stranger_host_gets_a_page_of_ours(here):
    status, body = here.ask("nobody.localhost", headers={"Accept": "application/json"})
    assert status == 404
    assert "detail" in json.loads(body)


def test_the_death_of_the_server_is_noticed_by_no_visitor_and_it_comes_back(here):
    before = here.pid("serve")
    here.kill("serve")
    assert here.status("hello.localhost") == 200
    assert here.perron("status", check=False).returncode in (0, 1)
    wait_until(lambda: here.pid("serve") not in (None, before))
    wait_until(lambda: here.perron("apps", check=False).returncode == 0)


def test_down_leaves_apps_and_edge_serving_and_up_finds_them_again(here):
    pids = here.instance_pids()
    said = here.perron("down").stderr
    assert "Apps and edge go on serving" in said
    assert (here.pid("serve"), here.pid("agent")) == (None, None)
    assert here.status("hello.localhost") == 200
    here.perron("up")
    assert here.instance_pids() == pids


def test_doctor_names_every_promise_and_never_fails_on_a_running_platform(here):
    done = here.perron("doctor", check=False)
    found = here.perron("doctor", "--json", check=False)
    promises = json.loads(found.stdout)["promises"]
    assert {each["standing"] for each in promises} <= {"enforced", "watched", "open", "unknown"}
    assert len(promises) > 5
    assert "Traceback" not in done.stderr + done.stdout


def test_nothing_is_left_after_down_with_apps(here):
    here.perron("down", "--apps")
    assert here.status("hello.localhost") is None
    assert here.instance_pids() == []
    assert [pid for pid in here.leftovers() if pid != os.getpid()] == []
    here.perron("up")
    wait_until(lambda: here.status("hello.localhost") == 200)
