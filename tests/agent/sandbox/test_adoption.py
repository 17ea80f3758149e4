"""Whatever is killed, the next agent finds every sandbox, or how it ended."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from perron.agent.sandbox import Ending, Running, Sandboxes, SandboxSpec

AGENT = """
import asyncio, json, sys
from perron.agent.sandbox import Sandboxes, SandboxSpec

async def main():
    spec, argv, group = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
    sandboxes = Sandboxes(cgroup=group)
    await sandboxes.open()
    await sandboxes.start(SandboxSpec.from_json(spec), argv, {"WORD": "hello"})
    print(sandboxes._launcher.pid, flush=True)
    await asyncio.sleep(100)

asyncio.run(main())
"""
COUNT = 'trap "exit 3" TERM; n=0; while :; do n=$((n+1)); echo $n; sleep 0.02 & wait $!; done'


def _agent(place: Any, spec: SandboxSpec, argv: list[str]) -> "subprocess.Popen[str]":
    """Start an agent that starts a sandbox; its first line is its launcher's pid."""
    words = [sys.executable, "-c", AGENT, json.dumps(spec.to_json()), json.dumps(argv)]
    return subprocess.Popen([*words, place.cgroup], stdout=subprocess.PIPE, text=True)


def _started_by_another(place: Any, spec: SandboxSpec, argv: list[str]) -> None:
    """Let an agent and its launcher start a sandbox and be killed."""
    agent = _agent(place, spec, argv)
    assert agent.stdout
    launcher = int(agent.stdout.readline())
    for pid in (agent.pid, launcher):
        os.kill(pid, signal.SIGKILL)
    agent.wait()
    agent.stdout.close()


def test_a_sandbox_outlives_agent_and_launcher_and_is_ended_by_the_next(
    place: Any, until: Any
) -> None:
    spec = place.spec("a")
    _started_by_another(place, spec, ["sh", "-c", COUNT])

    async def story() -> None:
        said = place.output(spec)
        await until(lambda: place.output(spec) > said, "more output")
        found = place.sandboxes.find(Path(spec.state))
        assert isinstance(found, Running)
        assert found.usage().memory
        waiting = asyncio.create_task(found.wait())
        found.terminate()
        assert (await waiting).code == 3
        numbers = [int(line) for line in place.output(spec).splitlines()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert place.living(spec) == []

    place.run(story)


def test_an_end_that_nobody_saw_is_found_with_its_time(place: Any, until: Any) -> None:
    spec = place.spec("a")
    _started_by_another(place, spec, ["sh", "-c", "sleep 0.3; (setsid sleep 100 &); exit 9"])

    async def story() -> None:
        await until(lambda: "exit-code" in place.status(spec), "the end")
        ended = Path(spec.state, "status").stat().st_mtime
        await until(lambda: place.living(spec), "what was left behind")
        found = place.sandboxes.find(Path(spec.state))
        assert isinstance(found, Ending)
        assert (found.code, found.text) == (9, "exited with code 9")
        assert abs(found.at.timestamp() - ended) < 0.01
        assert place.living(spec) == []
        assert place.sandboxes.find(Path(spec.state)) == found

    place.run(story)


def test_a_reused_pid_is_not_taken_for_the_sandbox(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["true"], {})
        await running.wait()
        path = Path(spec.state, "status")
        first = {**json.loads(path.read_text().splitlines()[0]), "shim": os.getpid()}
        path.write_text(json.dumps(first) + '\n{"child-pid": 1, "pid-namespace": 1}\n')
        assert isinstance(place.sandboxes.find(Path(spec.state)), Ending)

    place.run(story)


def test_a_status_file_cut_by_a_power_loss_is_an_end(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["true"], {})
        await running.wait()
        path = Path(spec.state, "status")
        path.write_text(path.read_text().splitlines()[0] + '\n{ "child-p')
        found = place.sandboxes.find(Path(spec.state))
        assert isinstance(found, Ending)
        assert found.text == "killed by SIGKILL"

    place.run(story)


def test_a_killed_launcher_is_started_again_by_the_next_start(place: Any) -> None:
    first, second = place.spec("a"), place.spec("b", number=1)

    async def story() -> None:
        before = await place.sandboxes.start(first, ["sleep", "100"], {})
        launcher = place.sandboxes._launcher
        assert launcher
        os.kill(launcher.pid, signal.SIGKILL)
        running = await place.sandboxes.start(second, ["sh", "-c", "exit 4"], {})
        assert (await running.wait()).code == 4
        assert place.living(first)
        await before.kill()

    place.run(story)


def test_what_shall_die_with_its_agent_does(place: Any, until: Any) -> None:
    spec = place.spec("a", die_with_parent=True)
    agent = _agent(place, spec, ["sh", "-c", "echo ready; sleep 100"])
    assert agent.stdout
    agent.stdout.readline()

    async def story() -> None:
        await until(lambda: place.output(spec), "ready")
        os.kill(agent.pid, signal.SIGKILL)
        agent.wait()
        agent.stdout.close()
        await until(lambda: place.living(spec) == [], "its end")

    place.run(story)


def test_closing_ends_the_launcher_and_leaves_the_sandboxes(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        other = Sandboxes(cgroup=place.cgroup)
        await other.open()
        launcher = other._launcher
        await other.start(spec, ["sleep", "100"], {})
        await other.close()
        assert launcher
        assert launcher.poll() is not None
        found = place.sandboxes.find(Path(spec.state))
        assert isinstance(found, Running)
        await found.kill()

    place.run(story)


def test_sixty_start_at_once(place: Any) -> None:
    specs = [place.spec(f"i{number}", number=number % 50) for number in range(60)]

    async def story() -> None:
        starting = (place.sandboxes.start(each, ["sleep", "100"], {}) for each in specs)
        running = await asyncio.gather(*starting)
        assert len({each.pid for each in running}) == len(specs)
        assert all(place.living(each) for each in specs)
        await asyncio.gather(*(each.kill() for each in running))
        assert not any(place.living(each) for each in specs)

    place.run(story)
