"""The same instances started by a shell loop: what so many starts cost without a platform."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from perron.agent.sandbox import SandboxSpec, find_bwrap, seccomp, tier
from perron.agent.sandbox.arguments import (
    bwrap_arguments,
    environment_file,
    last_steps,
    small_files,
)
from perron.agent.sandbox.status import read_spec, read_status
from tools.rig.platform import wait_until

from .figure import busy_seconds

FIRST = 11_000  # ports below every platform's band, and below the kernel's own


@dataclass(frozen=True)
class Loop:
    """How long a loop took until everything answered, and the CPU-seconds of one start.

    ``busy`` are the CPU-seconds the whole machine spent meanwhile.
    """

    seconds: float
    each: float
    busy: float


def plain(instance: Path, count: int) -> Loop:
    """Start what a running instance runs, ``count`` times, straight from a shell."""
    spec, command = read_spec(instance), _command(instance)
    with _scratch(count) as folder:
        own = re.sub(r"/tmp(?=/nginx|\s|$)", f"{folder}/$n", command)
        return _timed(
            f"cd {spec.app}; export PATH={_path(spec)}; for n in $(seq 0 {count - 1}); do "
            f"PORT=$(({FIRST}+n)) sh -c {_expanded(own)} >/dev/null 2>&1 & echo $!; done",
            count,
        )


def sandboxed(instance: Path, count: int) -> Loop:
    """Start it in the very sandbox it runs in, from a shell: no agent, limits or port rules."""
    spec, command = read_spec(instance), _command(instance)
    names = {"passwd": 11, "group": 12, "hosts": 13, "resolv.conf": 14, "seccomp": 15}
    with _scratch(count) as folder:
        for name, text in small_files(spec, spec.uid if os.getuid() == 0 else os.getuid()).items():
            (folder / name).write_text(text)
        (folder / "seccomp").write_bytes(seccomp.build())
        here = tier(find_bwrap(""))
        words = bwrap_arguments(spec, tier=here, files=names | {"env": 16, "status": 17})
        (folder / "args").write_text("\0".join(words))
        for n in range(count):
            (folder / f"{n}/env").write_text(environment_file(spec, {"PORT": str(FIRST + n)}))
        files = " ".join(f"{at}<{folder}/{name}" for name, at in names.items())
        steps = shlex.join(last_steps(spec, tier=here, argv=["sh", "-c", command]))
        return _timed(
            f"for n in $(seq 0 {count - 1}); do {find_bwrap('')} --args 10 10<{folder}/args "
            f"{files} 16<{folder}/$n/env 17>{folder}/$n/status -- {steps} "
            ">/dev/null 2>&1 </dev/null & echo $!; done",
            count,
        )


def _timed(script: str, count: int) -> Loop:
    began, before = time.monotonic(), busy_seconds()
    started = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    pids = [int(each) for each in started.stdout.split()]
    try:
        for port in range(FIRST, FIRST + count):
            wait_until(lambda port=port: answers(port), 120)
        took, busy = time.monotonic() - began, busy_seconds() - before
        everyone = [each for pid in pids for each in _tree(pid)]
        return Loop(took, _on_cpu(everyone) / count, busy)
    finally:
        for pid in pids:
            for each in reversed(_tree(pid)):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        wait_until(lambda: not any(answers(FIRST + n) for n in range(count)), 20)


def _on_cpu(pids: list[int]) -> float:
    """Return the CPU-seconds of short-lived starts, which the clock's ticks are too coarse for."""
    nanoseconds = 0
    for pid in pids:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _tree(pid: int) -> list[int]:
    """Return a process and all it started that still lives."""
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    return found


def _command(instance: Path) -> str:
    """What a running instance was told to run: the last word of its sandbox's arguments."""
    status = read_status(instance)
    assert status
    words = Path(f"/proc/{status.shim}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    return words[-1].decode()


def _path(spec: SandboxSpec) -> str:
    """The programs a sandbox finds, in its order: the host's own may be others."""
    own = [f"{spec.app}/.venv/bin", f"{spec.app}/node_modules/.bin"]
    return ":".join([*spec.path, *own, "/usr/local/bin", "/usr/bin", "/bin"])


def _expanded(command: str) -> str:
    """Quote a command for the shell, but for the loop's own $n."""
    return "'" + command.replace("'", "'\\''").replace("$n", "'$n'") + "'"


@contextmanager
def _scratch(count: int) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    for n in range(count):
        (folder / str(n)).mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ports(instances: Path) -> list[int]:
    """Return the ports of every instance that was ever started there."""
    specs = (json.loads(each.read_text()) for each in instances.glob("*/spec.json"))
    return [each["port"] for each in specs if each["port"]]
