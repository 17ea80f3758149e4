"""kill -9 of server, agent and edge, each in the middle of something; the wish is reached."""

import json
import os
import signal
import subprocess

import pytest

from tools.rig import Load
from tools.rig.audit import settle
from tools.rig.moments import MOMENTS, catch, rows
from tools.rig.platform import BIN, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
PLAIN = {"keep-alive": 4, "fresh": 4}
WITH_STREAMS = PLAIN | {"sse": 2}  # they make a drain last
VICTIMS = ("serve", "agent", "edge", "all")
ALWAYS = {
    *(("serve", moment) for moment in MOMENTS),
    *(("agent", moment) for moment in MOMENTS if moment not in ("upload",)),
    ("edge", "start"), ("edge", "routes"), ("edge", "destroy"),
    ("all", "build"), ("all", "release"), ("all", "routes"), ("all", "scale"),
}  # fmt: skip
MATRIX = [
    pytest.param(
        victim, moment,
        marks=[] if (victim, moment) in ALWAYS else [pytest.mark.slow],
    )
    for moment in MOMENTS for victim in VICTIMS
]  # fmt: skip


def paint(folder, colour):
    source = (folder / "app.py").read_text()
    head, _, rest = source.partition('"colour": "')
    (folder / "app.py").write_text(f'{head}"colour": "{colour}{rest[rest.index(chr(34)) :]}')


def command(here, *words):
    return subprocess.Popen(
        [str(BIN / "perron"), *words], env=here.environment, cwd=here.folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def colour(here):
    return json.loads(here.ask("load.localhost")[1])["colour"]


def asked(here, folder, victim, moment):
    """Ask for the work in whose middle somebody dies; say what must be so afterwards."""
    if moment == "scale":
        now = rows(here, "perron", "SELECT count FROM scale WHERE process = 'web'")[0][0]
        wished = 5 - now
        return command(here, "scale", "-a", "load", f"web={wished}"), lambda: wait_until(
            lambda: len(here.instance_pids()) == wished, 30
        )
    if moment == "destroy":
        second = here.app("hello", "second")
        here.perron("deploy", str(second), "-a", "second", "--create")
        (place,) = rows(here, "perron", "SELECT id FROM environment WHERE app IN "
                        "(SELECT id FROM app WHERE name = 'second')")[0]  # fmt: skip
        return command(
            here, "apps", "destroy", "second", "--yes", "second"
        ), lambda: nothing_is_left(here, place)
    wanted = f"{victim} {moment}"
    paint(folder, wanted)
    if moment == "upload":
        (folder / "ballast").write_bytes(os.urandom(24 << 20))
    (number,) = rows(here, "perron", "SELECT max(number) FROM release")[0]
    return command(here, "deploy", str(folder), "-a", "load"), lambda: is_live(
        here, folder, number + 1, wanted
    )


def is_live(here, folder, number, wanted):
    """Exactly one release was made, it serves, and its release command ran exactly once."""
    (folder / "ballast").unlink(missing_ok=True)
    assert colour(here) == wanted
    assert rows(here, "perron", "SELECT max(number) FROM release") == [(number,)]
    (ran,) = here.home.glob("node/volumes/*/data/ran")
    assert ran.read_text().splitlines().count(f"ran {number}") == 1


def nothing_is_left(here, place):
    assert not rows(here, "perron", "SELECT 1 FROM app WHERE name = 'second'")
    for folder in ("volumes", "snapshots", "builds"):
        assert not (here.home / "node" / folder / place).exists()
    for table in ("wish", "uid", "instance"):
        assert not rows(here, "node", f"SELECT 1 FROM {table} WHERE environment = ?", place)
    for name in ("hosts.map", "apps.map", "crt-list"):
        assert place not in (here.home / "edge" / name).read_text()
    assert not list(here.home.glob(f"edge/certs/{place}*"))
    assert here.status("second.localhost") == 404


def strike(here, victim):
    names = ("serve", "agent", "edge") if victim == "all" else (victim,)
    for name in names:
        here.kill(name)
    if victim == "all":
        here.perron("up")


@pytest.mark.parametrize(("victim", "moment"), MATRIX)
def test_what_was_wished_is_reached_although_somebody_dies_in_the_middle(
    here, load, victim, moment
):
    kinds = WITH_STREAMS if moment == "drain" else PLAIN
    with Load(here.http_port, "load.localhost", kinds=kinds) as visitors:
        wait_until(lambda: visitors.tally.requests > 50)
        work, is_so = asked(here, load, victim, moment)
        assert catch(here, moment, lambda: work.poll() is not None), "too late to kill"
        strike(here, victim)
        _, said = work.communicate(timeout=120)
        assert work.returncode == 0, said + here.tail()
        if victim == "edge":
            wait_until(lambda: here.status("load.localhost") == 200, 10)
        settle(here)
        is_so()
    if victim in ("serve", "agent"):
        assert not visitors.tally.lost, str(visitors.tally)


def test_the_edge_is_back_within_a_second_with_all_its_routes(here, load):
    before = set(here.edge_pids())
    here.kill("edge")
    wait_until(lambda: here.status("load.localhost") == 200, 5)
    assert not before & set(here.edge_pids())


def test_the_edge_comes_back_although_the_server_is_dead_too(here, load):
    here.kill("serve")
    here.kill("edge")
    wait_until(lambda: here.status("load.localhost") == 200, 5)
    wait_until(lambda: here.pid("serve"), 20)
    settle(here)


def test_no_idempotent_request_is_lost_when_one_of_two_instances_dies(here, load):
    here.perron("scale", "-a", "load", "web=2")
    with Load(here.http_port, "load.localhost", kinds=PLAIN) as visitors:
        for _ in range(3):
            settle(here)
            victim = here.instance_pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda gone=victim: gone not in here.instance_pids(), 10)
    assert not visitors.tally.lost, str(visitors.tally)
    settle(here)


def test_all_three_die_and_up_brings_everything_back(here, load):
    before = here.instance_pids()
    for victim in ("serve", "agent", "edge"):
        here.kill(victim)
    here.perron("up")
    wait_until(lambda: here.status("load.localhost") == 200, 20)
    settle(here)
    assert here.instance_pids() == before  # taken over, not started again


def test_a_run_that_was_written_down_begins_once_although_the_server_dies_before_it_asks(
    here, load
):
    agent = here.pid("agent")
    os.kill(agent, signal.SIGSTOP)  # it hears nothing for a while
    try:
        line = 'echo "ran for $PERRON_URL" | tee -a /data/runs'
        running = command(here, "run", "-a", "load", "--", "sh", "-c", line)
        wait_until(
            lambda: rows(here, "perron", "select id from run_waiting"), what="it is written down"
        )
        here.kill("serve")
    finally:
        os.kill(agent, signal.SIGCONT)
    out, err = running.communicate(timeout=90)
    assert (running.returncode, out.count("ran for http://load.localhost")) == (0, 1), (out, err)
    settle(here)
    kept = here.perron("run", "-a", "load", "--", "cat", "/data/runs").stdout
    assert kept.count("ran for") == 1
    assert not rows(here, "perron", "select id from run_waiting")
