"""A person's command inside a running instance, relayed over a WebSocket."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from perron.agent import sandbox
from perron.kit.problems import Conflict

from .keeper import Keeper

CHUNK = 65_536
LAST_WORDS = 1.0  # seconds to read what is left when the command has ended
SIGNALS = {"INT", "TERM", "HUP", "QUIT", "KILL", "USR1", "USR2", "WINCH", "CONT", "TSTP"}


async def run_inside(
    keeper: Keeper,
    websocket: WebSocket,
    argv: Sequence[str],
    *,
    terminal: bool,
    size: tuple[int, int],
) -> None:
    """Run ``argv`` in the instance's sandbox until it ends, or whoever asked leaves."""
    if keeper.running is None:
        raise Conflict(f"{keeper.instance.name} does not run at the moment; see `perron ps`.")
    session = await sandbox.enter(keeper.running, argv, terminal=terminal, size=size)
    output = asyncio.create_task(_say(session, websocket))
    entry = asyncio.create_task(_hear(session, websocket))
    ended = asyncio.create_task(session.wait())
    try:
        await asyncio.wait({entry, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            session.kill()  # nobody is there any more
            return
        await asyncio.wait({output}, timeout=LAST_WORDS)
        code = ended.result()
        with suppress(RuntimeError, WebSocketDisconnect):
            told = {"exit": code, "text": f"exited with code {code}"}
            await websocket.send_text(json.dumps(told))
    finally:
        for task in (output, entry):
            task.cancel()
        await asyncio.gather(output, entry, return_exceptions=True)
        await ended
        session.close()


async def _say(session: sandbox.Session, websocket: WebSocket) -> None:
    """Send what the command writes."""
    descriptor = session.master if session.master is not None else session.stdout
    if descriptor is None:
        return
    os.set_blocking(descriptor, False)
    with suppress(OSError, RuntimeError, WebSocketDisconnect):  # a terminal ends with EIO
        while True:
            await _ready(descriptor, writing=False)
            with suppress(BlockingIOError):
                piece = os.read(descriptor, CHUNK)
                if not piece:
                    return
                await websocket.send_bytes(piece)


async def _hear(session: sandbox.Session, websocket: WebSocket) -> None:
    """Pass on what a person types, and the three things they can ask for."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        if (data := message.get("bytes")) is not None:
            await _write(session, data)
        elif text := message.get("text"):
            with suppress(ValueError, TypeError, AttributeError):
                _obey(session, json.loads(text))


def _obey(session: sandbox.Session, asked: dict[str, object]) -> None:
    match asked:
        case {"resize": [int(rows), int(columns)]}:
            session.resize(rows, columns)
        case {"end_of_input": True}:
            session.end_input()
        case {"signal": str(name)} if name in SIGNALS:
            session.signal(signal.Signals[f"SIG{name}"])


async def _write(session: sandbox.Session, data: bytes) -> None:
    descriptor = session.master if session.master is not None else session.stdin
    if descriptor is None:
        return
    os.set_blocking(descriptor, False)
    left = memoryview(data)
    with suppress(OSError):  # it reads no more
        while left:
            await _ready(descriptor, writing=True)
            with suppress(BlockingIOError):
                left = left[os.write(descriptor, left[:CHUNK]) :]


async def _ready(descriptor: int, *, writing: bool) -> None:
    """Wait until a file can be written or read; its number may be in use twice, so a copy."""
    loop, copy = asyncio.get_running_loop(), os.dup(descriptor)
    ready = asyncio.Event()
    (loop.add_writer if writing else loop.add_reader)(copy, ready.set)
    try:
        await ready.wait()
    finally:
        (loop.remove_writer if writing else loop.remove_reader)(copy)
        os.close(copy)
