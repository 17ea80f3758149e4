"""Kill anything: server, agent, edge and instances die under load; nothing is lost for good."""

import os
import random
import signal

from stage import must, platform, show, times, wait_until

from tools.rig import Load

KILLS = times(200, 4)
VICTIMS = ("serve", "agent", "instance", "edge")
NOT_EDGE = times(20, 3)


def instances(here):
    return here.json("ps", "-a", "load")


def strike(here, victim):
    """kill -9 the victim, and wait until it is back."""
    if victim == "instance":
        status = here.json("status")
        assert status
        pids = [pid for pid in here.instance_pids()]
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
    must(wait_until(lambda: all(each["state"] == "healthy" for each in instances(here)), 60),
         "and the platform says so")  # fmt: skip
