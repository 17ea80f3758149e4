"""A command inside a running sandbox, with a terminal or with pipes."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perron.kit.problems import Conflict, Temporary

from .arguments import HOST_ENVIRONMENT
from .inside import END
from .running import Running
from .waiting import gone, readable, start_program

_START_TIMEOUT = 20.0


class Session:
    """A command that was started inside; it ends with this process.

    With a terminal ``master`` is its other end. Without, ``stdin`` and ``stdout`` (both
    streams) are ours to write and read. ``close`` gives all of them up.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        *,
        master: int | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
    ) -> None:
        self.master = master
        self.stdin = stdin
        self.stdout = stdout
        self._process = process

    @property
    def pid(self) -> int:
        """The process that waits for the command."""
        return self._process.pid

    def resize(self, rows: int, columns: int) -> None:
        """Tell the terminal its size; the command hears SIGWINCH."""
        if self.master is not None:
            size = struct.pack("HHHH", _bounded(rows), _bounded(columns), 0, 0)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def signal(self, number: int) -> None:
        """Send the command a signal."""
        if number == signal.SIGKILL:
            return self.kill()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        return None

    def kill(self) -> None:
        """End the command at once; ``wait`` tells when it has."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(END)

    def end_input(self) -> None:
        """Close the command's input; on a terminal, as Ctrl-D does."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None
        elif self.master is not None:
            os.write(self.master, b"\x04")

    async def wait(self) -> int:
        """Return the command's exit code; 128 and its number for a signal."""
        if self._process.returncode is None:
            await gone(self._process.pid)
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def close(self) -> None:
        """Give up the files; the command may go on until it notices."""
        for each in ("master", "stdin", "stdout"):
            if (descriptor := getattr(self, each)) is not None:
                os.close(descriptor)
                setattr(self, each, None)


async def enter(
    target: Running | Path,
    argv: Sequence[str],
    *,
    terminal: bool,
    size: tuple[int, int] = (24, 80),
    term: str = "xterm-256color",
) -> Session:
    """Run a command inside a running sandbox; Conflict when that has ended."""
    state = target.state if isinstance(target, Running) else target
    request = {
        "state": str(state),
        "argv": list(argv),
        "terminal": terminal,
        "size": [_bounded(each) for each in size],
        "term": term if terminal else "dumb",
    }
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            session = _start(request, theirs.fileno())
        try:
            session.master = await asyncio.wait_for(_hear(ours, session), _START_TIMEOUT)
        except BaseException:
            session.kill()
            session.close()
            raise
    return session


def _start(request: dict[str, Any], channel: int) -> Session:
    content = os.memfd_create("request", os.MFD_CLOEXEC)
    try:
        os.write(content, json.dumps(request).encode())
        os.lseek(content, 0, os.SEEK_SET)
        pipe = None if request["terminal"] else subprocess.PIPE
        environment = dict(HOST_ENVIRONMENT)
        process = start_program(
            "inside", [channel, content], environment=environment, stdin=pipe, stdout=pipe
        )
    finally:
        os.close(content)
    return Session(process, stdin=_detached(process.stdin), stdout=_detached(process.stdout))


def _detached(stream: Any) -> int | None:
    """Take the descriptor out of a stream, so that nobody closes it behind our back."""
    if stream is None:
        return None
    descriptor = os.dup(stream.fileno())
    stream.close()
    return descriptor


async def _hear(channel: socket.socket, session: Session) -> int | None:
    """Wait until the command is about to start; return its terminal."""
    await readable(channel.fileno())
    message, files, _, _ = socket.recv_fds(channel, 65_536, 1, socket.MSG_CMSG_CLOEXEC)
    said = json.loads(message) if message else {}
    if said.get("ready"):
        return files[0] if files else None
    code = await session.wait()
    if said.get("ended"):
        raise Conflict(f"{said['problem']} Nothing can be run in it; `perron ps` shows what runs.")
    raise Temporary(f"The command could not be started: {said.get('problem', f'code {code}')}.")


def _bounded(number: int) -> int:
    return min(max(int(number), 1), 65_535)
