"""The agent's process: instances, jobs and the edge, and an eye on the server."""

import os
import sys
from threading import Event

from perron import agent
from perron.kit import memory, settings
from perron.kit.problems import Problem
from perron.kit.settings import Home

from . import processes


def tend() -> int:
    """Run the agent until it is told to stop; return the exit status."""
    home = Home.from_environment(os.environ)
    memory.share_arenas()
    agent.take_steps(home)  # before there are threads
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
