#!/usr/bin/python3
"""What answers inside the machine: runs the commands that come in on its second serial line.

A line is base64 of JSON in both directions; standard library only.
"""

import base64
import json
import os
import subprocess
import sys
import termios
import tty

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


def _lines(serial: "object"):  # type: ignore[no-untyped-def]
    waiting = b""
    while True:
        waiting += os.read(serial.fileno(), 4096)
        while b"\n" in waiting:
            line, _, waiting = waiting.partition(b"\n")
            try:
                yield json.loads(base64.b64decode(line))
            except ValueError:
                continue  # the rest of a line from before a reboot


def _say(serial: "object", said: dict) -> None:  # type: ignore[type-arg]
    data = base64.b64encode(json.dumps(said).encode()) + b"\n"
    while data:
        data = data[os.write(serial.fileno(), data) :]


def _run(request: dict) -> dict:  # type: ignore[type-arg]
    if "ask" in request:
        return {"id": request["id"], "booted": _boot()}
    words = ["/bin/sh", "-c", request["command"]]
    if user := request.get("user"):
        words = ["runuser", "-u", user, "--", *words]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=request["timeout"], env=request["environment"], cwd="/", check=False,
        )  # fmt: skip
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = 124, late.output or b""
    return {"id": request["id"], "code": code, "said": said[-LONGEST:].decode(errors="replace")}


if __name__ == "__main__":
    sys.exit(main())
