"""An agent killed while it starts sandboxes: each comes up once, or leaves no trace."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from perron.agent.sandbox import Running, SandboxSpec
from perron.agent.sandbox.status import parent_of

AGENT = """
import asyncio, json, sys
from perron.agent.sandbox import Sandboxes, SandboxSpec

async def main():
    specs, group = [SandboxSpec.from_json(each) for each in json.loads(sys.argv[1])], sys.argv[2]
    sandboxes = Sandboxes(cgroup=group)
    await sandboxes.open()
    print(sandboxes._launcher.pid, flush=True)
    starting = (sandboxes.start(s, ["python3", "-Sc", sys.argv[3], s.state], {}) for s in specs)
    await asyncio.gather(*starting)
    await asyncio.sleep(100)

asyncio.run(main())
"""
APP = "import time; time.sleep(100)"  # one process, which says whose it is
AT_ONCE = 6


def _killed_while_starting(
    place: Any, specs: list[SandboxSpec], *, begun: int, after: float, both: bool
) -> None:
    """Let an agent begin to start them all, and kill it (and its launcher) in the middle."""
    given = json.dumps([each.to_json() for each in specs])
    words = [sys.executable, "-c", AGENT, given, place.cgroup, APP]
    agent = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert agent.stdout
    launcher = int(agent.stdout.readline())
    until = time.monotonic() + 20
    while sum(Path(each.state, "status").exists() for each in specs) < begun:
        assert time.monotonic() < until, "it begins none"
    time.sleep(after)  # the moment is what this story is about
    for pid in (agent.pid, launcher) if both else (agent.pid,):
        os.kill(pid, signal.SIGKILL)
    agent.wait()
    agent.stdout.close()


def _named(spec: SandboxSpec, program: bytes) -> list[int]:
    """Return the processes of a program that name a sandbox's folder as their last word."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")[:-1]
        except OSError:
            continue
        if words and words[-1] == os.fsencode(spec.state) and words[0] == program:
            found.append(int(path.name))
    return found


@pytest.mark.parametrize("both", [False, True], ids=["agent", "agent and launcher"])
def test_a_start_of_a_killed_agent_comes_up_once_or_ends_without_a_trace(
    place: Any, until: Any, both: bool
) -> None:
    seen: set[str] = set()

    async def story() -> None:
        for turn in range(12):
            specs = [place.spec(f"{turn}-{number}", number=number) for number in range(AT_ONCE)]
            await asyncio.to_thread(
                _killed_while_starting,
                place,
                specs,
                begun=turn // 3,
                after=turn % 3 * 0.01,
                both=both,
            )
            for spec in specs:
                found = place.sandboxes.find(Path(spec.state))
                seen.add(type(found).__name__)
                if not isinstance(found, Running):
                    found = await place.sandboxes.start(
                        spec, ["python3", "-Sc", APP, spec.state], {}
                    )
                await until(lambda spec=spec: _named(spec, b"python3"), "the app of the start")
                assert len(_named(spec, b"python3")) == 1
                assert len(_named(spec, b"bwrap")) == 2  # the shim, and the first one inside
                await found.kill()
                assert not _named(spec, b"python3") + _named(spec, b"bwrap")

    place.run(story)
    assert seen >= {"Running", "NoneType"}, "no kill came in the middle"


def test_a_shim_killed_before_it_told_of_its_child_leaves_nobody(place: Any, until: Any) -> None:
    async def story() -> None:
        early = 0
        for turn in range(20):
            spec = place.spec(f"{turn}")
            starting = asyncio.create_task(
                place.sandboxes.start(spec, ["python3", "-Sc", APP, spec.state], {})
            )
            await until(lambda spec=spec: len(_named(spec, b"bwrap")) > 1, "bwrap and its child")
            shim = place.status(spec)["shim"]
            os.kill(shim, signal.SIGKILL)
            early += "child-pid" not in place.status(spec)
            running = await starting
            await running.wait()
            assert not _named(spec, b"python3") + _named(spec, b"bwrap")
        print(f"{early} of 20 before it told of its child")

    place.run(story)


def test_a_second_start_waits_for_the_first_and_ends_it(place: Any) -> None:
    async def story() -> None:
        spec = place.spec("twice")
        first = await place.sandboxes.start(spec, ["python3", "-Sc", APP, spec.state], {})
        second = await place.sandboxes.start(spec, ["python3", "-Sc", APP, spec.state], {})
        await first.wait()
        assert len(_named(spec, b"bwrap")) == 2
        await second.kill()

    place.run(story)


def test_many_ends_leave_no_zombie(place: Any) -> None:
    async def story() -> None:
        specs = [place.spec(f"{number}") for number in range(30)]
        starting = (place.sandboxes.start(each, ["true"], {}) for each in specs)
        await asyncio.gather(*(each.wait() for each in await asyncio.gather(*starting)))
        assert all(parent_of(place.status(each)["child-pid"]) != os.getpid() for each in specs)

    place.run(story)
