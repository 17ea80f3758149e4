"""Release commands and one-off runs, in real sandboxes."""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import websockets
from fastapi import FastAPI, WebSocket

from perron.agent.jobs import JobDiffers, JobNotFound, JobRefused
from perron.agent.logs import Query
from perron.contract.node import (
    BuildPlan,
    BuildStep,
    JobKind,
    JobSpec,
    JobState,
    Layer,
    Limits,
    VolumeMount,
)

from .conftest import Node, build_spec, spec

OnNode = Callable[..., None]


async def built(node: Node) -> None:
    """Have a build to run things in."""
    plan = BuildPlan(steps=[BuildStep(title="Writing", command="echo hello > greeting")])
    await node.jobs.ask("build-1", build_spec(node.source({"a": "1"}), plan))
    assert (await node.ended("build-1")).state is JobState.SUCCEEDED


def release(command: str, **rest: Any) -> JobSpec:
    """Return a release command's job."""
    return spec(JobKind.RELEASE, build="build1", command=command, release=7, **rest)


def test_a_release_command_runs_with_configuration_and_volumes(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        command = "cat greeting; echo $KEY $PERRON_APP $PERRON_RELEASE; echo 1 >> /data/runs"
        volume = VolumeMount(name="data", mount="/data", size=1 << 20)
        asked = release(
            command, env={"KEY": "secret-value"}, mask=["secret-value"], volumes=[volume]
        )
        await node.jobs.ask("release-1", asked)
        report = await node.ended("release-1")
        assert report.state is JobState.SUCCEEDED, await node.lines()
        assert await node.lines(source="release", release=7) == ["hello", "•••• shop 7"]
        await node.jobs.ask("release-1", asked)
        folder = node.home.node / "volumes" / "env_1" / "data"
        assert (folder / "runs").read_text() == "1\n"
        with pytest.raises(JobDiffers):
            await node.jobs.ask("release-1", release("something else"))

    on_node(story)


def test_how_a_command_ended_is_told_in_words(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        limits = Limits(memory=32 << 20)
        hog = "head -c 100M /dev/zero | tail"
        asked = {
            "exit": release("exit 3"),
            "missing": release("no-such-program --now"),
            "hog": release(hog, limits=limits),
            "build": spec(JobKind.RELEASE, build="other", command="true"),
            "write": release("echo x > /app/greeting"),
        }
        told = {}
        for name, each in asked.items():
            await node.jobs.ask(name, each)
            report = await node.ended(name)
            assert report.state is JobState.FAILED
            assert report.exit
            told[name] = report.exit.text
        assert told["exit"] == "exited with code 3"
        assert "command not found" in told["missing"]
        assert "is gone; perron deploy --force" in told["build"]
        if os.geteuid() == 0:
            assert "out of memory" in told["hog"]
        with pytest.raises(JobNotFound):
            await node.jobs.report("never-asked")
        with pytest.raises(JobRefused):
            await node.jobs.ask("../evil", release("true"))

    on_node(story)


def test_a_release_command_outlives_the_agent_and_runs_once(folder: Path) -> None:
    async def story() -> None:
        node = await Node(folder).open()
        await built(node)
        await node.jobs.ask("release-1", release("echo begun; sleep 1; echo over; exit 5"))
        await node.logs.read(Query("env_1", source="release"), wait=20)
        await node.close()
        await asyncio.sleep(1.5)
        node = await Node(folder).open()
        report = await node.ended("release-1")
        said = await node.lines(source="release")
        await node.close()
        assert report.exit
        assert (report.state, report.exit.code) == (JobState.FAILED, 5)
        assert said == ["begun", "over"]

    asyncio.run(story())


def test_cancelling_ends_a_command_that_does_not_want_to(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        await node.jobs.ask(
            "release-1", release("trap '' TERM; echo up; while :; do sleep 1; done")
        )
        await node.logs.read(Query("env_1", text="up"), wait=20)
        began = time.monotonic()
        report = await node.jobs.cancel("release-1")
        assert report.state is JobState.CANCELLED
        assert time.monotonic() - began < 8

    on_node(story)


@asynccontextmanager
async def door(node: Node) -> AsyncIterator[Callable[[str], Any]]:
    """Let WebSockets in to the node's jobs."""
    app = FastAPI()

    @app.websocket("/{job}")
    async def attach(websocket: WebSocket, job: str) -> None:
        await node.jobs.attach(job, websocket)

    path = str(node.home.path / "d.sock")
    server = uvicorn.Server(uvicorn.Config(app, uds=path, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield lambda address: websockets.unix_connect(path, f"ws://node/{address}")
    finally:
        server.should_exit = True
        await serving


def run(*argv: str, terminal: bool) -> JobSpec:
    """Return an interactive job."""
    return spec(
        JobKind.RUN,
        build="build1",
        argv=list(argv),
        interactive=True,
        terminal=terminal,
        env={"KEY": "value"},
    )


async def heard(socket: Any, text: str = "") -> str:
    """Read until some output came, or the end."""
    said = ""
    async with asyncio.timeout(20):
        while True:
            message = await socket.recv()
            said += message.decode() if isinstance(message, bytes) else f"<{message}>"
            if isinstance(message, str) or (text and text in said):
                return said


def test_a_run_has_a_terminal_of_the_right_size(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        script = "stty size; read x; stty size; echo got $x $KEY; cat greeting; exit 7"
        await node.jobs.ask("run-1", run("sh", "-c", script, terminal=True))
        async with door(node) as at, at("run-1?rows=30&columns=100") as socket:
            assert "30 100" in await heard(socket, "30 100")
            await socket.send(json.dumps({"resize": [40, 120]}))
            await socket.send(b"hey\n")
            said = await heard(socket)
            assert "40 120" in said
            assert "got hey value" in said
            assert "hello" in said
            assert '"exit": 7' in said
        report = await node.ended("run-1")
        assert report.exit
        assert (report.state, report.exit.code) == (JobState.FAILED, 7)

    on_node(story)


def test_a_run_reads_what_is_piped_into_it(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        await node.jobs.ask("run-1", run("wc", "-c", terminal=False))
        async with door(node) as at, at("run-1") as socket:
            await socket.send(b"x" * 300_000)
            await socket.send(json.dumps({"end_of_input": True}))
            said = await heard(socket)
            assert "300000" in said
            assert '"exit": 0' in said
        assert (await node.ended("run-1")).state is JobState.SUCCEEDED

    on_node(story)


def test_a_run_ends_when_its_person_leaves_and_is_waited_for_once(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        await node.jobs.ask("run-1", run("sleep", "1000", terminal=True))
        async with door(node) as at:
            async with at("run-1"):
                while (await node.jobs.report("run-1")).state is not JobState.RUNNING:
                    await asyncio.sleep(0.01)
                async with at("run-1") as second:
                    with pytest.raises(websockets.ConnectionClosed, match="does not wait"):
                        await second.recv()
            report = await node.ended("run-1", 20)
        assert report.state is JobState.FAILED
        assert report.exit
        assert "left" in report.exit.text

    on_node(story)


def test_a_run_can_be_interrupted_and_cancelled(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        await built(node)
        trap = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
        await node.jobs.ask("run-1", run("sh", "-c", trap, terminal=False))
        await node.jobs.ask("run-2", run("sleep", "1000", terminal=True))
        await node.jobs.ask("run-3", run("true", terminal=True))
        async with door(node) as at:
            async with at("run-1") as socket:
                await heard(socket, "ready")
                await socket.send(json.dumps({"signal": "INT"}))
                assert '"exit": 9' in await heard(socket)
            async with at("run-2") as socket:
                while (await node.jobs.report("run-2")).state is not JobState.RUNNING:
                    await asyncio.sleep(0.01)
                report = await node.jobs.cancel("run-2")
                assert report.state is JobState.CANCELLED
        assert (await node.jobs.cancel("run-3")).state is JobState.CANCELLED

    on_node(story)


def test_a_job_whose_agent_ends_at_once_is_begun_by_the_next_one(folder, recwarn):
    async def story():
        node = await Node(folder).open()
        await built(node)
        await node.jobs.ask("release-1", release("echo ran"))
        await node.close()  # before the loop has turned even once
        gc.collect()
        node = await Node(folder).open()
        assert (await node.ended("release-1")).state is JobState.SUCCEEDED
        await node.close()

    asyncio.run(story())
    assert not [each for each in recwarn if "never awaited" in str(each.message)]


AGENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.agent.jobs.conftest import Node
async def main():
    node = await Node(Path(sys.argv[1])).open()
    print("open", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def _begin_work(folder: Path) -> None:
    """Ask for two builds that share a layer, and for a release command; then be gone."""
    node = await Node(folder).open()
    await built(node)
    deps = BuildStep(title="Installing", command="mkdir .venv; echo install; sleep 0.4")
    layer = Layer(key="l", folder=".venv", steps=[deps])
    more = [BuildStep(title="Two", command="echo two; sleep 0.4; echo done > two")]
    for name in ("x", "y"):
        asked = build_spec(node.source({"a": name}), BuildPlan(layer=layer, steps=more), name)
        await node.jobs.ask(f"build-{name}", asked)
    volume = VolumeMount(name="data", mount="/data", size=1 << 20)
    await node.jobs.ask("release-1", release("echo ran >> /data/runs; sleep 1", volumes=[volume]))
    await node.close()


def _kill_agent_after(folder: Path, seconds: float) -> None:
    root = str(Path(__file__).parents[3])
    argv = [sys.executable, "-c", AGENT.format(root=root), str(folder)]
    agent = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert agent.stdout
    agent.stdout.readline()
    time.sleep(seconds)
    agent.send_signal(signal.SIGKILL)
    agent.wait()


async def _see_it_done_once(folder: Path) -> None:
    node = await Node(folder).open()
    for name in ("build-x", "build-y", "release-1"):
        assert (await node.ended(name)).state is JobState.SUCCEEDED
    for name in ("x", "y"):
        build = node.builds.find(name)
        assert build
        assert (build.app / "two").read_text() == "done\n"
    runs = node.home.node / "volumes" / "env_1" / "data" / "runs"
    assert runs.read_text() == "ran\n"
    said = await node.lines(source="build")
    await node.close()
    assert said.count("two") == 2
    assert said.count("install") == 1


@pytest.mark.fault
def test_killing_the_agent_again_and_again_neither_loses_nor_doubles(folder: Path) -> None:
    asyncio.run(_begin_work(folder))
    for turn in range(6):  # at any moment of two builds and a release command
        _kill_agent_after(folder, 0.07 * turn)
    asyncio.run(_see_it_done_once(folder))
