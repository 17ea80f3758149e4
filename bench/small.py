"""What is felt every day: help, and coming up."""

import resource
import subprocess
import time

from tools.rig.platform import BIN, platform

from .figure import ROUNDS, Figure, median


def command_help() -> list[Figure]:
    """Measure the CPU time of ``perron --help``."""
    values = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(BIN / "perron"), "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        values.append(spent * 1000)
    return [median("perron --help", "≤ 150 ms CPU", values, "ms")]


def up_warm() -> list[Figure]:
    """Measure ``perron up`` to healthy, after ``perron down``."""
    values = []
    with platform() as here:
        for _ in range(min(ROUNDS, 5)):
            here.perron("down")
            began = time.monotonic()
            here.perron("up")
            values.append(time.monotonic() - began)
    return [median("perron up to healthy, warm", "≤ 3 s", values)]
