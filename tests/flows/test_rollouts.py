"""How a release comes in and the one before it leaves, by every rule an app can choose."""

import json
import re
import threading

import pytest

from tools.rig.platform import wait_until

ONE_AT_A_TIME = """
import os, time
path = "/data/running"
try:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL))
except FileExistsError:
    print("TWO AT ONCE", flush=True)
import signal, sys
def end(*_):
    os.unlink(path)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("alone", flush=True)
while True:
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def load(here):
    folder = here.app("load")
    here.perron("deploy", str(folder), "-a", "load", "--create")
    return folder


def who(here, headers=None):
    return json.loads(here.ask("load.localhost", headers=headers)[1])


def test_what_must_never_run_twice_is_stopped_before_the_next_starts(here):
    folder = here.folder / "once"
    folder.mkdir()
    (folder / "Procfile").write_text("worker: python3 once.py\n")
    (folder / "once.py").write_text(ONE_AT_A_TIME)
    (folder / "perron.toml").write_text(
        '[process.worker]\nrollout = "stop-first"\n[volumes.data]\nmount = "/data"\nsize = "1M"\n'
    )
    here.perron("deploy", str(folder), "-a", "once", "--create")
    (folder / "once.py").write_text(ONE_AT_A_TIME + "# changed\n")
    here.perron("deploy", str(folder), "-a", "once")
    here.perron("restart", "-a", "once")
    said = here.perron("logs", "-a", "once", "--source", "app").stdout
    assert said.count("alone") >= 3
    assert "TWO AT ONCE" not in said


def test_a_stream_may_end_before_its_instance_does(here, load):
    got = {}

    def listen():
        got["answer"] = here.ask("load.localhost", "/sse?n=40&every=0.1", timeout=30)

    listener = threading.Thread(target=listen)
    listener.start()
    wait_until(lambda: "GET /sse" not in got, 1)
    here.perron("restart", "-a", "load")
    listener.join(30)
    status, body = got["answer"]
    assert status == 200
    assert b"event: end" in body


def test_a_stream_longer_than_the_drain_is_closed_and_counted(here, load):
    (load / "perron.toml").write_text("[process.web]\ndrain_timeout = 1\n")
    here.perron("deploy", str(load), "-a", "load")
    cut = {}

    def listen():
        try:
            _, body = here.ask("load.localhost", "/sse?n=300&every=0.1", timeout=60)
            cut["whole"] = b"event: end" in body
        except Exception as why:
            cut["whole"] = False
            cut["why"] = type(why).__name__

    listener = threading.Thread(target=listen)
    listener.start()
    before = len(router_lines(here))
    (load / "notes.txt").write_text("changed")
    here.perron("deploy", str(load), "-a", "load")
    listener.join(30)
    assert cut["whole"] is False
    newest = here.json("releases", "-a", "load")[0]
    wait_until(lambda: here.json("releases", "-a", "load")[0]["lost"], 20)
    lost = here.json("releases", "-a", "load")[0]["lost"]
    assert sum(lost.values()) >= 1, (lost, newest, before)
    (load / "perron.toml").unlink()


def router_lines(here):
    return here.perron("logs", "-a", "load", "--source", "router").stdout.splitlines()


def test_sticky_visitors_stay_where_they_are(here, load):
    (load / "perron.toml").write_text("[process.web]\nsticky = true\n")
    here.perron("deploy", str(load), "-a", "load")
    here.perron("scale", "-a", "load", "web=3")
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", here.http_port)
    connection.request("GET", "/", headers={"Host": "load.localhost"})
    first = connection.getresponse()
    cookie = re.match(r"[^;]+", first.headers["Set-Cookie"])[0]
    mine = json.loads(first.read())["instance"]
    seen = {who(here, {"Cookie": cookie})["instance"] for _ in range(12)}
    others = {who(here)["instance"] for _ in range(12)}
    assert seen == {mine}
    assert len(others) > 1
    (load / "perron.toml").unlink()


def test_an_app_whose_own_health_path_fails_never_gets_a_visitor(here, load):
    here.perron("deploy", str(load), "-a", "load")
    here.perron("scale", "-a", "load", "web=1")
    before = who(here)["release"]
    (load / "perron.toml").write_text('[process.web]\nhealth.path = "/fail"\nhealth.deadline = 3\n')
    refused = here.perron("deploy", str(load), "-a", "load", check=False)
    assert refused.returncode == 1
    assert "/fail" in refused.stderr
    assert who(here)["release"] == before
    (load / "perron.toml").unlink()


def test_an_unknown_key_is_refused_with_the_nearest_one(here, load):
    (load / "perron.toml").write_text("[process.web]\ndrain_timout = 1\n")
    refused = here.perron("deploy", str(load), "-a", "load", check=False)
    assert refused.returncode != 0
    assert "drain_timeout" in refused.stderr
    (load / "perron.toml").unlink()
