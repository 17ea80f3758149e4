"""The agent's process: instances, jobs and the edge, and an eye on the server."""

import logging
import os
import sys
from threading import Event

from perron import agent
from perron.kit import lock, settings
from perron.kit.problems import Problem
from perron.kit.settings import Home

from . import processes

BUSY = 75  # EX_TEMPFAIL: another one runs


def tend() -> int:
    """Run the agent until it is told to stop; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    home = Home.from_environment(os.environ)
    try:
        lock.hold(processes.lock_of(home, "agent"))
    except lock.LockHeld as held:
        sys.stderr.write(f"{held}\n")
        return BUSY
    stop = Event()
    processes.keep_other(home, "agent", stop)
    try:
        agent.run(home, settings.load(home))
    except Problem as why:
        sys.stderr.write(f"{why}\n")
        return 1
    finally:
        stop.set()
    return 0
