"""kill -9 of server, agent and edge, each in the middle of something; the wish is reached."""

import json
import os
import signal
import subprocess

import pytest

from tools.rig import Load
from tools.rig.platform import BIN, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
PLAIN = {"keep-alive": 4, "fresh": 4}
MOMENTS = ("build", "start", "routes", "drain")


def paint(folder, colour):
    source = (folder / "app.py").read_text()
    head, _, rest = source.partition('"colour": "')
    (folder / "app.py").write_text(f'{head}"colour": "{colour}{rest[rest.index(chr(34)) :]}')


def deploying(here, folder):
    return subprocess.Popen(
        [str(BIN / "perron"), "deploy", str(folder), "-a", "load"],
        env=here.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def colour(here):
    return json.loads(here.ask("load.localhost")[1])["colour"]


def reached(here, moment):
    """Has the newest operation come to the step?"""
    done = here.perron("releases", "-a", "load", "--json", check=False)
    if done.returncode:
        return True
    newest = json.loads(done.stdout)[0]
    family = here.json("api", "GET", f"/v1/operations/{newest['operation']}")
    steps = {each["name"] for each in family["operation"]["steps"]}
    return moment in steps or family["operation"]["state"] not in ("waiting", "running")


def are_healthy(here):
    instances = here.json("ps", "-a", "load")
    return len(instances) == 2 and all(each["state"] == "healthy" for each in instances)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("victim", ["serve", "agent"])
def test_a_deploy_ends_well_although_somebody_dies_in_the_middle(here, load, victim, moment):
    wanted = f"{victim} {moment}"
    paint(load, wanted)
    with Load(here.http_port, "load.localhost", kinds=PLAIN) as visitors:
        deploy = deploying(here, load)
        wait_until(lambda: deploy.poll() is not None or reached(here, moment), 60)
        before = here.pid(victim)
        here.kill(victim)
        wait_until(lambda: here.pid(victim) not in (None, before), 20)
        _, said = deploy.communicate(timeout=120)
        assert deploy.returncode == 0, said + here.tail()
        assert colour(here) == wanted
    assert not visitors.tally.lost, str(visitors.tally)
    wait_until(lambda: len(here.instance_pids()) == 2, 60, "two instances and no more")


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


def test_no_idempotent_request_is_lost_when_one_of_two_instances_dies(here, load):
    wait_until(lambda: len(here.instance_pids()) == 2, 60)
    with Load(here.http_port, "load.localhost", kinds=PLAIN) as visitors:
        for _ in range(3):
            wait_until(lambda: len(here.instance_pids()) == 2, 60)
            wait_until(lambda: are_healthy(here), 60)
            os.kill(here.instance_pids()[0], signal.SIGKILL)
            wait_until(lambda: len(here.instance_pids()) == 1, 10)
    assert not visitors.tally.lost, str(visitors.tally)


def test_all_three_die_and_up_brings_everything_back(here, load):
    for victim in ("serve", "agent", "edge"):
        here.kill(victim)
    here.perron("up")
    wait_until(lambda: here.status("load.localhost") == 200, 20)
    wait_until(lambda: len(here.instance_pids()) == 2, 30)
