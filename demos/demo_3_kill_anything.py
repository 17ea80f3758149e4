"""Kill anything: server, agent, edge and instances die under load; nothing is lost for good."""

import os
import random
import signal
from collections import Counter
from contextlib import suppress

from stage import must, platform, show, times, wait_until

from tools.rig import Load, audit, moments

KILLS = times(200, 4)
VICTIMS = ("serve", "agent", "instance", "edge")


def lost(load):
    """How many requests visitors did not get so far."""
    return sum(load.tally.lost.values())


def both_are_well(here):
    """Are there two instances, both seen well and led to by the edge?"""
    return len(here.instance_pids()) == 2 and not audit.faults(here)


def strike(here, victim):
    """kill -9 the victim, and wait until it is back."""
    if victim == "instance":
        if moments.rows(here, "node", "SELECT 1 FROM instance WHERE restarts >= 3"):
            here.perron("restart", "-a", "load")  # fresh ones: what often falls waits longer
        wait_until(lambda: both_are_well(here), 60, "both instances are well")
        pids = wait_until(here.instance_pids, 10, "an instance runs")
        with suppress(ProcessLookupError):
            os.kill(random.choice(pids), signal.SIGKILL)
        return
    before = here.edge_pids() if victim == "edge" else here.pid(victim)
    here.kill(victim)
    wait_until(lambda: (here.edge_pids() if victim == "edge" else here.pid(victim))
               not in (None, [], before), 15, f"{victim} is back")  # fmt: skip


def strike_edge(here, load):
    """kill -9 the edge; return how many requests were lost until it was back."""
    before = lost(load)
    strike(here, "edge")
    wait_until(lambda: here.status("load.localhost") == 200, 10, "the edge serves again")
    got = load.tally.requests
    wait_until(lambda: load.tally.requests > got + 50, 10, "every visitor is back")
    return lost(load) - before


with platform() as here:
    here.perron("deploy", str(here.app("load")), "-a", "load", "--create")
    here.perron("scale", "-a", "load", "web=2")
    audit.settle(here)
    struck, without_edge = Counter(), 0
    with Load(here.http_port, "load.localhost", kinds={"keep-alive": 4, "fresh": 4}) as load:
        wait_until(lambda: load.tally.requests > 100, what="the load runs")
        for number in range(KILLS):
            victim = VICTIMS[number] if number < len(VICTIMS) else random.choice(VICTIMS)
            struck[victim] += 1
            if victim == "edge":
                without_edge += strike_edge(here, load)
            else:
                strike(here, victim)
            if number % 20 == 19:
                show(f"{number + 1} of {KILLS} kills; {lost(load)} lost, {without_edge} of them "
                     "while there was no edge")  # fmt: skip
        wait_until(lambda: here.status("load.localhost") == 200, 30, "the app answers")
    show(", ".join(f"{count} × {victim}" for victim, count in struck.items()) + " killed")
    show(str(load.tally))
    show(f"{without_edge} requests were lost while the edge itself was dead")
    must(lost(load) == without_edge, "nothing else was lost")
    audit.settle(here)
    must(len(here.instance_pids()) == 2, "two instances run: none doubled, orphaned or lost")
