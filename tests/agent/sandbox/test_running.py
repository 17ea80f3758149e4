"""Starting and ending: every app ends for good, and says how."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from perron.agent.sandbox import MIB, Ending, Mount, Running, clean
from perron.kit.problems import Permanent

FRIENDLY = 'trap "exit 3" TERM; echo ready; sleep 100 & wait'
DEAF = 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
DAEMON = f"(setsid sh -c '{DEAF}' &); echo ready; sleep 100"


def test_an_exit_code_is_told_and_the_output_is_kept(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(
            spec, ["sh", "-c", "echo one; echo two >&2; exit 7"], {}
        )
        ending = await running.wait()
        assert (ending.code, ending.signal, ending.text) == (7, None, "exited with code 7")
        assert place.output(spec) == "one\ntwo\n"

    place.run(story)


def test_output_is_added_to_what_was_there(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        for _ in range(2):
            running = await place.sandboxes.start(spec, ["echo", "more"], {})
            await running.wait()
        assert place.output(spec) == "more\nmore\n"

    place.run(story)


def test_a_program_may_open_its_output_by_name(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        script = "echo first; echo by-name >> /dev/stdout; echo err >> /dev/stderr"
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
        assert (await running.wait()).code == 0
        assert place.output(spec) == "first\nby-name\nerr\n"

    place.run(story)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["no-such-thing"], "command not found: no-such-thing (127)"),
        (["sh", "-c", "exec no-such-thing --flag"], "command not found: no-such-thing (127)"),
        (["sh", "-c", "kill -SEGV $$"], "killed by SIGSEGV"),
        (["sh", "-c", "kill -KILL $$"], "killed by SIGKILL"),
    ],
)
def test_an_end_says_why(place: Any, argv: list[str], text: str) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, argv, {})
        assert (await running.wait()).text == text

    place.run(story)


def test_a_sandbox_that_cannot_be_built_says_what_is_missing(place: Any) -> None:
    spec = place.spec("a", mounts=(Mount("/no/such/folder", "/data"),))

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["true"], {})
        ending = await running.wait()
        assert ending.code is None
        assert "could not start" in ending.text
        assert "/no/such/folder" in ending.text

    place.run(story)


@pytest.mark.parametrize("given", [{"argv": []}, {"argv": ["a\0b"]}, {"env": {"A-B": "x"}}])
def test_what_can_never_work_is_permanent(place: Any, given: dict[str, Any]) -> None:
    spec = place.spec("a")

    async def story() -> None:
        with pytest.raises(Permanent):
            await place.sandboxes.start(spec, given.get("argv", ["true"]), given.get("env", {}))
        assert place.sandboxes.find(Path(spec.state)) is None

    place.run(story)


def test_a_friendly_app_ends_by_itself_when_asked(place: Any, until: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["sh", "-c", FRIENDLY], {})
        await until(lambda: place.output(spec), "ready")
        running.terminate()
        assert (await running.wait()).code == 3
        assert place.living(spec) == []

    place.run(story)


@pytest.mark.parametrize("script", [DEAF, DAEMON])
def test_nothing_is_left_of_an_app_that_does_not_want_to_end(
    place: Any, until: Any, script: str
) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
        await until(lambda: place.output(spec), "ready")
        if script == DEAF:
            running.terminate()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(running.wait(), 0.3)
            assert place.living(spec)
        await running.kill()
        ending = await running.wait()
        assert ending.signal == "SIGKILL"
        assert place.living(spec) == []

    place.run(story)


def test_what_an_app_leaves_in_the_background_ends_with_it(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        script = "(setsid sleep 100 &); exit 5"
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
        assert (await running.wait()).code == 5
        assert place.living(spec) == []

    place.run(story)


def test_an_app_whose_shim_was_killed_does_not_live_on(place: Any, until: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["sh", "-c", DEAF], {})
        await until(lambda: place.output(spec), "ready")
        os.kill(running.pid, signal.SIGKILL)
        ending = await running.wait()
        assert (ending.code, ending.text) == (None, "killed by SIGKILL")
        assert place.living(spec) == []

    place.run(story)


def test_a_kill_right_after_the_start_leaves_nothing(place: Any) -> None:
    specs = [place.spec(f"a{number}") for number in range(10)]

    async def story() -> None:
        for spec in specs:
            running = await place.sandboxes.start(spec, ["sh", "-c", DEAF], {})
            await running.kill()
            assert place.living(spec) == []

    place.run(story)


def test_many_may_wait_for_one_end_and_it_is_the_same_afterwards(place: Any, until: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["sh", "-c", FRIENDLY], {})
        await until(lambda: place.output(spec), "ready")
        waiting = [asyncio.create_task(running.wait()) for _ in range(3)]
        running.terminate()
        endings = await asyncio.gather(*waiting)
        assert endings == [await running.wait()] * 3
        found = place.sandboxes.find(Path(spec.state))
        assert isinstance(found, Ending)
        assert found == endings[0]

    place.run(story)


def test_a_clean_end_leaves_no_control_group(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["true"], {})
        folders = place.status(spec)["groups"]["folders"].values()
        assert all(Path(each).is_dir() for each in folders)
        await running.wait()
        assert not any(Path(each).exists() for each in folders)
        clean(Path(spec.state))

    place.run(story)


def test_a_folder_that_is_mounted_under_the_app_is_made_and_links_are_refused(place: Any) -> None:
    data = place.folder / "data"
    data.mkdir()
    good = place.spec("a", mounts=(Mount(str(data), "/app/media/deep"),))
    bad = place.spec("b", mounts=(Mount(str(data), "/app/media/deep"),))
    outside = place.folder / "outside"
    outside.mkdir()
    Path(bad.app, "media").symlink_to(outside)

    async def story() -> None:
        running = await place.sandboxes.start(good, ["ls", "-d", "/app/media/deep"], {})
        assert (await running.wait()).code == 0
        with pytest.raises(Permanent, match="media is a link"):
            await place.sandboxes.start(bad, ["true"], {})
        assert list(outside.iterdir()) == []

    place.run(story)


def test_input_can_be_given(place: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        reading, writing = os.pipe()
        running = await place.sandboxes.start(spec, ["cat"], {}, stdin=reading)
        os.close(reading)
        os.write(writing, b"handed over\n")
        os.close(writing)
        assert (await running.wait()).code == 0
        assert place.output(spec) == "handed over\n"

    place.run(story)


def test_usage_is_measured_while_it_runs(place: Any, until: Any) -> None:
    spec = place.spec("a", memory=128 * MIB)

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["sh", "-c", FRIENDLY], {})
        await until(lambda: place.output(spec), "ready")
        used = running.usage()
        assert used.memory
        assert used.processes
        assert used.processes >= 3
        assert used.cpu_seconds is not None
        assert isinstance(running, Running)

    place.run(story)
