"""Build jobs in real sandboxes."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from perron.agent.logs import Query
from perron.contract.node import BuildPlan, BuildStep, Fetch, JobState, Layer

from .conftest import Node, build_spec

OnNode = Callable[..., None]


def step(command: str, title: str = "Working", **env: str) -> BuildStep:
    return BuildStep(title=title, command=command, env=env)


def test_a_source_becomes_a_build_that_nobody_can_change(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        source = node.source({"app.txt": "hello", "sub/run.sh": "echo hi"})
        plan = BuildPlan(steps=[step("cat app.txt > made.txt; chmod 4755 sub/run.sh", "Copying")])
        asked = build_spec(source, plan)
        first = await node.jobs.ask("build-1", asked)
        assert first.state is JobState.RUNNING
        report = await node.ended("build-1")
        assert report.state is JobState.SUCCEEDED, report
        assert report.exit
        assert report.exit.code == 0
        build = node.builds.find("build1")
        assert build
        assert build.size == report.size
        made = build.app / "made.txt"
        assert made.read_text() == "hello"
        assert made.stat().st_mode & 0o7777 == 0o444
        assert (build.app / "sub/run.sh").stat().st_mode & 0o7777 == 0o555
        assert made.stat().st_uid == os.geteuid()
        said = await node.lines(source="build", job="build-1")
        assert "-----> Copying" in said
        assert said[-1].startswith("-----> Built: ")
        await node.gone("build-1")
        again = await node.jobs.ask("build-1", asked)
        assert again == report

    on_node(story)


def test_a_failed_step_is_named_and_leaves_nothing(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        plan = BuildPlan(steps=[step("true", "First"), step("echo oh no; exit 3", "Second")])
        await node.jobs.ask("build-1", build_spec(node.source({"a": "a"}), plan))
        report = await node.ended("build-1")
        assert (report.state, report.step) == (JobState.FAILED, "Second")
        assert report.exit
        assert (report.exit.code, report.exit.text) == (3, "exited with code 3")
        assert node.builds.find("build1") is None
        assert os.listdir(node.home.node / "builds") == []
        assert (await node.lines(job="build-1"))[-2:] == [
            "oh no",
            "       Second failed (exit code 3)",
        ]

    on_node(story)


def test_dependencies_are_made_once_and_mounted_read_only(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        deps = step("mkdir .venv; cat needs > .venv/made; date +%N >> .venv/made", "Installing")
        layer = Layer(key="layer1", folder=".venv", steps=[deps])
        plan = BuildPlan(layer=layer, steps=[step("cp .venv/made seen; ! touch .venv/x")])
        one = build_spec(node.source({"needs": "flask", "a": "1"}), plan, "one")
        two = build_spec(node.source({"needs": "flask", "a": "2"}), plan, "two")
        await asyncio.gather(node.jobs.ask("build-1", one), node.jobs.ask("build-2", two))
        for name in ("build-1", "build-2"):
            assert (await node.ended(name)).state is JobState.SUCCEEDED
        first, second = node.builds.find("one"), node.builds.find("two")
        assert first
        assert second
        assert (first.app / "seen").read_text() == (second.app / "seen").read_text()
        assert first.mounts[0].target == "/app/.venv"
        assert first.mounts == second.mounts
        said = [line for line in await node.lines() if "-----> " in line]
        assert said.count("-----> Installing") == 1
        assert said.count("-----> Dependencies did not change: reused") == 1
        node.builds.drop("one")
        assert node.builds.layer("layer1")
        node.builds.drop("two")
        assert node.builds.layer("layer1") is None

    on_node(story)


def test_dependencies_that_steps_write_to_are_copied(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        deps = step("mkdir -p node_modules/a; echo a > node_modules/a/x", "Installing")
        layer = Layer(key="layer1", folder="node_modules", steps=[deps], share=False)
        plan = BuildPlan(
            layer=layer, steps=[step("echo b >> node_modules/a/x; mkdir node_modules/b")]
        )
        await node.jobs.ask("build-1", build_spec(node.source({"a": "1"}), plan))
        report = await node.ended("build-1")
        assert report.state is JobState.SUCCEEDED, await node.lines()
        build = node.builds.find("build1")
        assert build
        assert (build.app / "node_modules/a/x").read_text() == "a\nb\n"
        kept = node.builds.layer("layer1")
        assert kept
        assert (kept / "a/x").read_text() == "a\n"

    on_node(story)


def test_secrets_of_a_build_are_seen_inside_and_nowhere_else(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        index = "https://robot:s3cr3t-token@pypi.example/simple"
        command = "echo $KEY $UV_INDEX $STEP_KEY; cat /proc/*/cmdline | tr '\\0' ' '; sleep 0.2"
        plan = BuildPlan(steps=[step(command, STEP_KEY="from the step")])
        asked = build_spec(
            node.source({"a": "1"}),
            plan,
            env={"KEY": "topsecret"},
            mask=["topsecret"],
            fetch=Fetch(environment={"UV_INDEX": index}),
        )
        await node.jobs.ask("build-1", asked)
        report = await node.ended("build-1")
        assert report.state is JobState.SUCCEEDED
        said = "\n".join(await node.lines())
        assert "•••• https://robot:••••@pypi.example/simple from the step" in said
        assert "topsecret" not in said
        await node.gone("build-1")
        for path in node.home.path.rglob("*"):
            if path.is_file():
                assert b"topsecret" not in path.read_bytes(), path

    on_node(story)


def test_a_build_that_takes_too_long_is_ended(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        plan = BuildPlan(steps=[step("trap '' TERM; sleep 60 & sleep 60", "Sleeping")])
        asked = build_spec(node.source({"a": "1"}), plan, timeout=1.0)
        await node.jobs.ask("build-1", asked)
        report = await node.ended("build-1", 20)
        assert (report.state, report.step) == (JobState.FAILED, "Sleeping")
        assert report.exit
        assert "longer than 1 s" in report.exit.text

    on_node(story)


def test_a_build_that_fills_the_disk_is_ended(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        plan = BuildPlan(steps=[step("head -c 40M /dev/zero > big; sleep 30", "Filling")])
        await node.jobs.ask("build-1", build_spec(node.source({"a": "1"}), plan))
        report = await node.ended("build-1", 20)
        assert report.state is JobState.FAILED
        assert report.exit
        assert "more than the" in report.exit.text
        await node.gone("build-1")

    on_node(story, build_disk=20 << 20)


def test_a_build_is_refused_before_the_disk_is_full(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        plan = BuildPlan(steps=[step("true")])
        await node.jobs.ask("build-1", build_spec(node.source({"a": "1"}), plan))
        report = await node.ended("build-1", 20)
        assert report.state is JobState.FAILED
        assert report.exit
        assert "must stay free" in report.exit.text

    on_node(story, disk_reserve=1 << 50)


def test_cancelling_ends_everything_that_runs(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        plan = BuildPlan(steps=[step("echo up; sleep 1000", "Sleeping")])
        asked = build_spec(node.source({"a": "1"}), plan)
        await node.jobs.ask("build-1", asked)
        await node.logs.read(Query("env_1", text="up"), wait=20)
        report = await node.jobs.cancel("build-1")
        assert report.state is JobState.CANCELLED
        assert report.exit
        assert report.exit.text == "cancelled"
        await node.gone("build-1")

    on_node(story)


def test_teams_take_turns_and_waiting_builds_can_be_cancelled(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        source = node.source({"a": "1"})
        plan = BuildPlan(steps=[step("sleep 0.5")])
        asked = [("a1", "team_a"), ("a2", "team_a"), ("a3", "team_a"), ("b1", "team_b")]
        for name, team in asked:
            await node.jobs.ask(name, build_spec(source, plan, name, team=team))
        assert (await node.jobs.report("a2")).state is JobState.QUEUED
        last = await node.jobs.report("a3")
        assert (last.ahead_own, last.ahead_others) == (1, 1)
        assert (await node.jobs.cancel("a3")).state is JobState.CANCELLED
        begun = {}
        for name in ("a1", "a2", "b1"):
            begun[name] = (await node.ended(name)).started
        assert begun["a1"]
        assert begun["b1"]
        assert begun["a2"]
        assert begun["a1"] < begun["b1"] < begun["a2"]

    on_node(story, builds_at_once=1)


def test_a_build_goes_on_without_its_agent(folder: Path) -> None:
    async def story() -> None:
        node = await Node(folder).open()
        deps = step("mkdir .venv; echo x > .venv/x; sleep 1", "Installing")
        layer = Layer(key="layer1", folder=".venv", steps=[deps])
        plan = BuildPlan(
            layer=layer, steps=[step("date +%s%N > when; echo begun; sleep 1; echo over")]
        )
        await node.jobs.ask("build-1", build_spec(node.source({"a": "1"}), plan))
        await node.logs.read(Query("env_1", text="Installing"), wait=20)
        await node.close()
        node = await Node(folder).open()
        await node.logs.read(Query("env_1", text="begun"), wait=20)
        await node.close()
        await asyncio.sleep(1.5)  # it ends while nobody looks
        node = await Node(folder).open()
        report = await node.ended("build-1")
        said = await node.lines()
        await node.close()
        assert report.state is JobState.SUCCEEDED, said
        assert [said.count(each) for each in ("-----> Installing", "begun", "over")] == [1, 1, 1]

    asyncio.run(story())


def test_a_source_that_leads_out_of_its_folder_is_refused(on_node: OnNode) -> None:
    async def story(node: Node) -> None:
        plan = BuildPlan(steps=[step("true")])
        await node.jobs.ask("build-1", build_spec(node.source({"../evil": "1"}), plan))
        report = await node.ended("build-1")
        assert report.exit
        assert "leads out of its folder" in report.exit.text

    on_node(story)


@pytest.mark.fault
def test_a_really_full_disk_fails_a_build_clearly_and_corrupts_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a small disk of one's own needs root")
    inner = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    script = (
        f"mount -t tmpfs -o size=48m tmpfs {inner} && exec {sys.executable} -c '{FULL}' {inner}"
    )
    argv = ["unshare", "-m", "--propagation", "private", "sh", "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, cwd=ROOT)
    inner.rmdir()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed True" in done.stdout, done.stdout + done.stderr
    assert "then succeeded" in done.stdout, done.stdout + done.stderr


ROOT = Path(__file__).parents[3]
FULL = """
import asyncio, sys
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, ".")
import pytest

from perron.contract.node import BuildPlan, BuildStep
from tests.agent.jobs.conftest import SETTINGS, Node, build_spec
async def main():
    node = await Node(Path(sys.argv[1]), replace(SETTINGS, disk_reserve=1 << 20)).open()
    source = node.source({"a": "1"})
    command = "head -c 100M /dev/zero > big || head -c 100M /dev/zero > more"
    fill = BuildStep(title="Filling", command=command)
    await node.jobs.ask("build-1", build_spec(source, BuildPlan(steps=[fill])))
    report = await node.ended("build-1", 30)
    print(report.state, node.builds.find("build1") is None, report.exit.text)
    await node.gone("build-1")
    small = BuildStep(title="Small", command="echo 1 > b")
    await node.jobs.ask("build-2", build_spec(source, BuildPlan(steps=[small]), "build2"))
    print("then", (await node.ended("build-2", 30)).state)
    await node.close()
asyncio.run(main())
"""
