"""The attacker's part, run inside: try everything, each in a process of its own, and tell.

Standard library only; copied into the app's folder with its sister files. An attack returns
something true when it got through, and raises or returns nothing when it did not.
"""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

Targets = dict[str, Any]
Attack = Callable[[Targets], Any]
ATTACKS: list[tuple[str, str, Attack]] = []  # name, what is wanted (closed, works, open), attack


def attack(name: str, want: str = "closed") -> Callable[[Attack], Attack]:
    """Add an attack to the list."""

    def add(function: Attack) -> Attack:
        ATTACKS.append((name, want, function))
        return function

    return add


def main() -> None:
    """Run all attacks and print what came of them."""
    targets = json.loads(os.environ["TARGETS"])
    opened = [int(each) for each in os.listdir("/proc/self/fd") if int(each) > 2]
    targets["fds"] = [each for each in opened if os.path.exists(f"/proc/self/fd/{each}")]
    print(json.dumps([(name, want, *_try(each, targets)) for name, want, each in ATTACKS]))


def _try(function: Attack, targets: Targets) -> tuple[str, str]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(6)
        os.write(writing, json.dumps(_outcome(function, targets)).encode())
        os._exit(0)
    os.close(writing)
    status = os.waitpid(pid, 0)[1]
    said = os.read(reading, 4096)
    os.close(reading)
    if said:
        first, second = json.loads(said)
        return first, second
    killed = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "died"
    return "stopped", killed


def _outcome(function: Attack, targets: Targets) -> tuple[str, str]:
    try:
        answer = function(targets)
    except BaseException as why:
        number = getattr(why, "errno", None)
        return "stopped", errno.errorcode.get(number or 0, type(why).__name__)
    got_through = answer or (answer == 0 and answer is not False)
    return ("through", repr(answer)[:60]) if got_through else ("stopped", "nothing")


if __name__ == "__main__":
    sys.modules["probe"] = sys.modules["__main__"]
    import probe_kernel  # noqa: F401
    import probe_network  # noqa: F401
    import probe_places  # noqa: F401

    main()
