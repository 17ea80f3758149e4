"""The launcher: a small process that forks once for each sandbox, so that the agent never does.

Started by path with ``python -I -S``: standard library only. A request is a file of memory with
its JSON (never an argument or an environment), a pipe to report to, the locked state folder, and
maybe an input; only the forked child reads it, so nothing of one tenant is in the memory of
another's sandbox. It ends when the agent does; what it started goes on. The lock is held by the
request on its way and by the forked child until its status is written, so that a next agent can
wait for a start that a killed one had asked for.
"""

import gc
import json
import os
import signal
import socket
import sys

from . import bare, seccomp
from .becoming import become

_FILES = 4


def main() -> None:
    """Serve the socket named by the last argument until its other end closes."""
    channel = socket.socket(fileno=int(sys.argv[-1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps; the agent watches
    program = seccomp.build()
    gc.freeze()
    while True:
        message, files = _receive(channel)
        if not message:
            return
        if files:
            _start(files, channel, program)


def _receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    space = socket.CMSG_SPACE(_FILES * 4)
    message, extra, *_ = channel.recvmsg(64, space, socket.MSG_CMSG_CLOEXEC)
    files: list[int] = []
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            files += memoryview(data[: len(data) - len(data) % 4]).cast("i").tolist()
    return message, files


def _start(files: list[int], channel: socket.socket, program: bytes) -> None:
    parent = os.getpid()
    try:
        if os.fork() == 0:
            channel.close()
            _become(files, parent, program)
    except OSError as why:
        os.write(files[1], json.dumps({"problem": str(why), "permanent": False}).encode() + b"\n")
    finally:
        for each in files:
            os.close(each)


def _become(files: list[int], parent: int, program: bytes) -> None:
    try:
        with open(files[0], "rb", closefd=False) as file:
            request = json.load(file)
        stdin = files[3] if len(files) > 3 else None
        then = bare.become if request["tier"] == "C" else become
        then(request, report=files[1], stdin=stdin, parent=parent, seccomp=program)
    finally:
        os._exit(125)
