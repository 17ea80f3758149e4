"""A command's terminal or pipes on one side, a WebSocket on the other (contract/sessions.py)."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

CHUNK = 65_536
LAST_WORDS = 1.0  # seconds to read what is left when the command has ended
SIGNALS = frozenset(["INT", "TERM", "HUP", "QUIT", "KILL", "USR1", "USR2", "WINCH", "CONT", "TSTP"])


class Command(Protocol):
    """A command that runs: ``master`` is its terminal, or ``stdin`` and ``stdout`` its pipes."""

    master: int | None
    stdin: int | None
    stdout: int | None

    def resize(self, rows: int, columns: int) -> None:
        """Tell its terminal another size."""

    def signal(self, number: int) -> None:
        """Send it a signal."""

    def end_input(self) -> None:
        """Say that nothing more is typed."""

    def kill(self) -> None:
        """End it at once."""

    def close(self) -> None:
        """Give up its files."""

    async def wait(self) -> int:
        """Return its exit code when it has ended."""


async def relay(command: Command, websocket: WebSocket) -> int | None:
    """Lead input and output until the command ends; return its exit code.

    When whoever is at the other end leaves, the command is killed and None returned. The code
    is sent by the caller, in words of its own.
    """
    output = asyncio.create_task(_say(command, websocket))
    entry = asyncio.create_task(_hear(command, websocket))
    ended = asyncio.create_task(command.wait())
    try:
        await asyncio.wait({entry, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            command.kill()  # nobody is there any more
            return None
        await asyncio.wait({output}, timeout=LAST_WORDS)
        return ended.result()
    finally:
        for task in (output, entry):
            task.cancel()
        await asyncio.gather(output, entry, return_exceptions=True)
        await ended
        command.close()


async def tell_end(websocket: WebSocket, code: int | None, text: str) -> None:
    """Send the last frame: how it ended; nobody listening any more is fine."""
    with suppress(RuntimeError, WebSocketDisconnect):
        await websocket.send_text(json.dumps({"exit": code, "text": text}))


async def _say(command: Command, websocket: WebSocket) -> None:
    descriptor = command.master if command.master is not None else command.stdout
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


async def _hear(command: Command, websocket: WebSocket) -> None:
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        if (data := message.get("bytes")) is not None:
            await _write(command, data)
        elif text := message.get("text"):
            with suppress(ValueError, TypeError, AttributeError):
                _obey(command, json.loads(text))


def _obey(command: Command, asked: dict[str, object]) -> None:
    match asked:
        case {"resize": [int(rows), int(columns)]}:
            command.resize(rows, columns)
        case {"end_of_input": True}:
            command.end_input()
        case {"signal": str(name)} if name in SIGNALS:
            command.signal(signal.Signals[f"SIG{name}"])


async def _write(command: Command, data: bytes) -> None:
    descriptor = command.master if command.master is not None else command.stdin
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
