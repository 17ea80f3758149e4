#!/usr/bin/python3
"""What answers inside the machine: runs the commands that come in on its second serial line.

A line is base64 of JSON in both directions; standard library only.
"""

import base64
import json
import os
import signal
import subprocess
import tempfile
import termios
import tty
from collections.abc import Iterator
from typing import IO, Any

LONGEST = 60_000  # of an answer: a serial line is slow


def main() -> None:
    line = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line, termios.TCSANOW)
    with os.fdopen(line, "r+b", buffering=0) as serial:
        _say(serial, {"booted": _boot()})
        for request in _lines(serial):
            _say(serial, _run(request))


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _lines(serial: IO[bytes]) -> Iterator[dict[str, Any]]:
    waiting = b""
    while True:
        waiting += os.read(serial.fileno(), 4096)
        while b"\n" in waiting:
            line, _, waiting = waiting.partition(b"\n")
            try:
                yield json.loads(base64.b64decode(line))
            except ValueError:
                continue  # the rest of a line from before a reboot


def _say(serial: IO[bytes], said: dict[str, Any]) -> None:
    data = base64.b64encode(json.dumps(said).encode()) + b"\n"
    while data:
        data = data[os.write(serial.fileno(), data) :]


def _run(request: dict[str, Any]) -> dict[str, Any]:
    if "ask" in request:
        return {"id": request["id"], "booted": _boot()}
    words = ["/bin/sh", "-c", request["command"]]
    if user := request.get("user"):
        words = ["runuser", "-u", user, "--", *words]
    # Into a file: what a command leaves running may hold a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env=request["environment"], cwd="/", start_new_session=True,
        )  # fmt: skip
        code = _wait(child, request["timeout"])
        return {"id": request["id"], "code": code, "said": _end(output)}


def _wait(child: "subprocess.Popen[bytes]", seconds: float) -> int:
    """Wait for a command; past its time it ends with all it started."""
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return 124


def _end(output: IO[bytes]) -> str:
    length = output.seek(0, os.SEEK_END)
    output.seek(max(0, length - LONGEST))
    return output.read().decode(errors="replace")


if __name__ == "__main__":
    main()
