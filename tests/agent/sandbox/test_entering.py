"""A command inside a running sandbox: the same walls, a terminal, an exit code."""

import asyncio
import os
import select
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from perron.agent.sandbox import Session, enter
from perron.kit.problems import Conflict

APP = "echo ready; sleep 100"


def _read(session: Session, until: str = "\0", seconds: float = 10.0) -> str:
    """Read what the command says, to its end or until a word."""
    descriptor = session.stdout if session.master is None else session.master
    assert descriptor is not None
    said, deadline = b"", time.monotonic() + seconds
    while until.encode() not in said:
        assert time.monotonic() < deadline, f"{until!r} never came: {said!r}"
        if not select.select([descriptor], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(descriptor, 65_536)
        except OSError:
            break  # a terminal whose last program ended
        if not part:
            break
        said += part
    return said.decode()


def _with_app(place: Any, until: Any, tale: Callable[[Any], Awaitable[None]], **given: Any) -> None:
    spec = place.spec("a", **given)

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["sh", "-c", APP], {"WORD": "it's here"})
        await until(lambda: place.output(spec), "ready")
        await tale(running)

    place.run(story)


def test_a_command_sees_the_apps_world_and_tells_its_exit_code(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        script = 'echo "$WORD"; pwd; uname -n; exit 42'
        session = await enter(running, ["sh", "-c", script], terminal=False)
        assert _read(session) == "it's here\n/app\na\n"
        assert await session.wait() == 42
        session.close()

    _with_app(place, until, tale)


@pytest.mark.parametrize(
    ("argv", "code"), [(["no-such-thing"], 127), (["sh", "-c", "kill -9 $$"], 137)]
)
def test_an_end_of_a_session_is_told(place: Any, until: Any, argv: list[str], code: int) -> None:
    async def tale(running: Any) -> None:
        session = await enter(running.state, argv, terminal=False)
        assert await session.wait() == code
        session.close()

    _with_app(place, until, tale)


def test_input_is_piped_to_its_end(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        session = await enter(running, ["wc", "-c"], terminal=False)
        assert session.stdin is not None
        os.write(session.stdin, b"x" * 5000)
        session.end_input()
        assert _read(session).strip() == "5000"
        assert await session.wait() == 0
        session.close()

    _with_app(place, until, tale)


def test_a_terminal_has_its_size_and_hears_of_a_new_one(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        script = 'trap "stty size" WINCH; tty; stty size; echo go; while :; do sleep 0.05; done'
        session = await enter(running, ["bash", "-c", script], terminal=True, size=(40, 132))
        said = _read(session, until="go")
        assert "/dev/pts/" in said
        assert "40 132" in said
        session.resize(50, 200)
        assert "50 200" in _read(session, until="50 200")
        session.signal(signal.SIGTERM)
        assert await session.wait() == 143
        session.close()

    _with_app(place, until, tale)


def test_a_key_on_the_terminal_interrupts(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        # exec: a dash that is about to fork loses an interrupt now and then, on any terminal
        session = await enter(running, ["sh", "-c", "echo go; exec sleep 100"], terminal=True)
        _read(session, until="go")
        assert session.master is not None
        os.write(session.master, b"\x03")
        assert await session.wait() == 130
        session.close()

    _with_app(place, until, tale)


def test_a_killed_session_leaves_nothing_and_the_app_unharmed(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        before = set(place.living(running.spec))
        session = await enter(running, ["sh", "-c", "echo go; sleep 100"], terminal=True)
        _read(session, until="go")
        assert set(place.living(running.spec)) > before
        session.kill()
        await session.wait()
        session.close()
        await until(lambda: set(place.living(running.spec)) <= before, "the end of the session")
        assert set(place.living(running.spec)) == before

    _with_app(place, until, tale)


def test_a_session_ends_with_its_sandbox(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        session = await enter(running, ["sh", "-c", "echo go; sleep 100"], terminal=False)
        _read(session, until="go")
        await running.kill()
        assert await asyncio.wait_for(session.wait(), 5) == 137
        session.close()

    _with_app(place, until, tale)


def test_nobody_enters_a_sandbox_that_has_ended(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        await running.kill()
        with pytest.raises(Conflict, match="has ended"):
            await enter(running, ["true"], terminal=False)

    _with_app(place, until, tale)


def test_a_session_may_signal_the_app(place: Any, until: Any) -> None:
    async def tale(running: Any) -> None:
        session = await enter(running, ["sh", "-c", "kill -TERM 2"], terminal=False)
        assert await session.wait() == 0
        session.close()
        assert (await asyncio.wait_for(running.wait(), 5)).signal == "SIGTERM"

    _with_app(place, until, tale)
