"""The server's state is locked, damaged or older; ports are taken; the clock steps."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from perron.kit.settings import Home
from perron.server import claims
from tools.rig.audit import roots, settle
from tools.rig.moments import rows
from tools.rig.platform import BIN, Platform, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
CC = shutil.which("cc")
DAY = 86_400
HOLD = (
    "import sqlite3, sys\n"
    "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "held.execute('BEGIN IMMEDIATE')\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture(scope="module")
def app(here):
    folder = here.app("hello")
    here.perron("deploy", str(folder), "-a", "hello", "--create")
    settle(here)
    return folder


@pytest.fixture
def holder(here, app):
    """Somebody who keeps the server's state for himself."""
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(here.home / "perron.db")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert held.stdout.readline() == "held\n"
    yield held
    held.kill()
    held.wait()


def agent(here):
    return httpx.Client(
        transport=httpx.HTTPTransport(uds=str(here.home / "run/agent.sock")), base_url="http://a"
    )


def test_whoever_keeps_the_state_locked_is_named_and_nothing_is_changed(here, holder):
    began = time.monotonic()
    refused = here.perron("config", "set", "-a", "hello", "A=1", check=False)
    assert refused.returncode
    assert 4 < time.monotonic() - began < 8, "it waits, then says so before anybody loses patience"
    assert f"process {holder.pid}" in refused.stderr, refused.stderr
    assert here.status("hello.localhost") == 200
    holder.kill()
    holder.wait()
    here.perron("config", "set", "-a", "hello", "A=1")
    settle(here)


def test_up_names_who_keeps_the_state_locked(here, holder):
    here.perron("down")
    refused = here.perron("up", check=False)
    assert refused.returncode
    assert f"process {holder.pid}" in refused.stdout + refused.stderr
    assert here.status("hello.localhost") == 200
    holder.kill()
    holder.wait()
    here.perron("up")
    settle(here)


def test_a_damaged_state_is_refused_by_name_and_its_backup_brings_it_back(here, app):
    before = roots(here)
    backup = here.perron("platform", "backup").stdout.strip()
    here.perron("down")
    for end in ("-wal", "-shm"):
        (here.home / f"perron.db{end}").unlink(missing_ok=True)
    with (here.home / "perron.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 32768)
    damaged = (here.home / "perron.db").read_bytes()
    refused = here.perron("up", check=False)
    assert refused.returncode
    said = refused.stdout + refused.stderr
    assert f"perron platform restore {backup}" in said, said
    assert (here.home / "perron.db").read_bytes() == damaged, "nothing is written over it"
    assert here.status("hello.localhost") == 200
    here.perron("platform", "restore", backup, "--replace")
    assert here.status("hello.localhost") == 200
    here.perron("up")
    settle(here)
    assert [each["name"] for each in here.json("apps")] == ["hello"]
    assert roots(here) == before, "apps went on all along"


def test_an_empty_wish_stops_nothing_and_an_older_one_is_refused(here, app):
    with agent(here) as node:
        heard = int(rows(here, "node", "SELECT value FROM fact WHERE name = 'generation'")[0][0])
        older = {"generation": heard - 1, "wishes": [], "gone": []}
        assert node.put("/v1/wishes", json=older).status_code == 409
        empty = {"generation": heard + 1, "wishes": [], "gone": []}
        assert node.put("/v1/wishes", json=empty).is_success
    for _ in range(20):
        assert here.status("hello.localhost") == 200
    here.perron("restart", "-a", "hello")  # the server counts on from what the agent heard
    settle(here)


def test_an_older_state_counts_on_and_stops_nothing(here, app):
    """A backup from before the last deploys knows fewer generations than the agent heard."""
    backup = here.perron("platform", "backup").stdout.strip()
    second = here.app("hello", "newer")
    here.perron("deploy", str(second), "-a", "newer", "--create")
    here.perron("down")
    here.perron("platform", "restore", backup, "--replace")
    here.perron("up")
    wait_until(lambda: here.status("hello.localhost") == 200, 10)
    wait_until(lambda: rows(here, "node", "SELECT 1 FROM wish WHERE parked"), 20, "it is parked")
    assert here.status("newer.localhost") == 200, "what the older state does not know runs on"
    for (place,) in rows(here, "node", "SELECT environment FROM wish WHERE parked"):
        with agent(here) as node:
            assert node.delete(f"/v1/parked/{place}").status_code == 204
    wait_until(lambda: here.status("newer.localhost") == 404, 20)


def test_two_ups_at_once_make_one_platform():
    made = Platform()
    try:
        both = [
            subprocess.Popen(
                [str(BIN / "perron"), "up"], cwd=made.folder, env=made.environment,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        said = [each.communicate(timeout=150)[0] for each in both]
        assert [each.returncode for each in both] == [0, 0], said
        assert sum("nothing to do" in each for each in said) == 1, said
        assert len(claims.of(Home(made.home))) == 1
        running = [made.pid(name) for name in ("serve", "agent")]
        made.perron("up")
        assert running == [made.pid(name) for name in ("serve", "agent")]
        assert len(made.edge_pids()) == 2  # master and worker
    finally:
        made.close()
    assert made.leftovers() == []


def test_a_taken_port_is_named_with_its_holder():
    made = Platform()
    try:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", made.http_port))
            taken.listen()
            refused = made.perron("up", check=False)
            assert refused.returncode
            said = refused.stdout + refused.stderr
            assert f"Port {made.http_port} is taken by" in said, said
            assert f"process {os.getpid()}" in said
        made.perron("up")
    finally:
        made.close()


@pytest.mark.skipif(CC is None, reason="no C compiler: apt-get install gcc")
def test_a_clock_that_steps_restarts_nothing_and_deploys_go_on(tmp_path):
    """Not with faketime: its monotonic clock breaks the sleeps of Python."""
    library = tmp_path / "step.so"
    source = Path(__file__).with_name("step.c")
    subprocess.run([CC, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    made = Platform()
    clock = made.folder / "clock"
    clock.write_text("0")
    made.environment |= {"LD_PRELOAD": str(library), "STEP_FILE": str(clock)}
    try:
        made.up()
        folder = made.app("hello")
        made.perron("deploy", str(folder), "-a", "hello", "--create")
        before = rows(made, "node", "SELECT id FROM instance")
        for step in (3 * DAY, -3 * DAY):
            clock.write_text(str(step))
            (folder / "step").write_text(str(step))
            here_for(made, 2)
            assert rows(made, "node", "SELECT id FROM instance") == before
            made.perron("deploy", str(folder), "-a", "hello", timeout=60)
            settle(made)
            before = rows(made, "node", "SELECT id FROM instance")
            asked = datetime.fromisoformat(made.json("releases", "-a", "hello")[0]["asked"])
            assert abs((asked - datetime.now(UTC)).total_seconds() - step) < 600
    finally:
        made.close()


def here_for(made, seconds):
    """Ask for so long, and be answered each time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert made.status("hello.localhost") == 200


@pytest.mark.parametrize("story", ["full_disk.py", "full_restore.py"])
def test_the_disk_is_full_and_nothing_breaks(story):
    """In a mount namespace of its own, on a small file system that is really full."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not here")
    script = Path(__file__).with_name(story)
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, str(script)],
        capture_output=True, text=True, timeout=170, stdin=subprocess.DEVNULL, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    if "cannot mount" in done.stderr or "unshare failed" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"all": "well"}
