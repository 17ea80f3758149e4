"""Kill anything: server, agent, edge and instances die under load; nothing is lost for good."""

import json
import os
import random
import signal
from contextlib import suppress

from stage import must, platform, show, times, wait_until

from tools.rig import Load

KILLS = times(200, 4)
VICTIMS = ("serve", "agent", "instance", "edge")
NOT_EDGE = times(20, 3)


def instances(here):
    """What the platform says of them; nothing while nobody answers."""
    done = here.perron("ps", "-a", "load", "--json", check=False)
    return json.loads(done.stdout) if done.returncode == 0 else []


def are_healthy(here):
    """Does the platform know both to be well?"""
    seen = instances(here)
    return len(seen) == 2 and all(each["state"] == "healthy" for each in seen)


def strike(here, victim):
    """kill -9 the victim, and wait until it is back."""
    if victim == "instance":
        pids = wait_until(here.instance_pids, 60, "an instance runs")
        with suppress(ProcessLookupError):
            os.kill(random.choice(pids), signal.SIGKILL)
        return
    before = here.edge_pids() if victim == "edge" else here.pid(victim)
    here.kill(victim)
    wait_until(lambda: (here.edge_pids() if victim == "edge" else here.pid(victim))
               not in (None, [], before), 15, f"{victim} is back")  # fmt: skip


with platform() as here:
    here.perron("deploy", str(here.app("load")), "-a", "load", "--create")
    here.perron("scale", "-a", "load", "web=2")
    kinds = {"keep-alive": 4, "fresh": 4}
    with Load(here.http_port, "load.localhost", kinds=kinds) as load:
        wait_until(lambda: load.tally.requests > 100, what="the load runs")
        for number in range(NOT_EDGE):
            wait_until(lambda: len(here.instance_pids()) == 2, 60, "both instances run")
            wait_until(lambda: are_healthy(here), 60, "both instances are healthy")
            strike(here, VICTIMS[number % 3])
        show(f"{NOT_EDGE} kills of server, agent and instances")
    show(str(load.tally))
    must(not load.tally.lost, "no visitor lost anything while server, agent and instances died")
    with Load(here.http_port, "load.localhost", kinds=kinds) as load:
        for number in range(KILLS):
            strike(here, random.choice(VICTIMS))
            if number % 20 == 19:
                show(f"{number + 1} of {KILLS} kills")
        wait_until(lambda: here.status("load.localhost") == 200, 30, "the app answers")
    show(str(load.tally))
    must(wait_until(lambda: len(here.instance_pids()) == 2, 60), "two instances run, none doubled")
    must(wait_until(lambda: are_healthy(here), 60), "and the platform says so")
