"""A place with folders, a uid, a port and a control group of its own, cleaned up for good."""

import asyncio
import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perron.agent.sandbox import MIB, Running, Sandboxes, SandboxSpec, tier

ROOT = os.getuid() == 0
UIDS = range(171_000, 171_100)


class Place:
    """Folders of a few sandboxes, and their agent's part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cgroup = f"perron-test-{os.getpid()}"
        self.sandboxes: Sandboxes
        self._made: list[str] = []

    def spec(self, name: str, *, number: int = 0, **given: Any) -> SandboxSpec:
        """Return a spec with its folders made; ``number`` gives another uid and port."""
        state = self.folder / name
        app = self.folder / f"{name}-app"
        for each in (state, app):
            each.mkdir(exist_ok=True)
        self._made.append(name)
        given.setdefault("memory", 256 * MIB)
        return SandboxSpec(
            name=name,
            state=str(state),
            output=str(state / "output"),
            app=str(app),
            uid=UIDS[number] if ROOT else os.getuid(),
            port=given.pop("port", None) or free_port(),
            **given,
        )

    def output(self, spec: SandboxSpec) -> str:
        """Return what a sandbox said."""
        path = Path(spec.output)
        return path.read_text() if path.exists() else ""

    def status(self, spec: SandboxSpec) -> dict[str, Any]:
        """Return the lines of the status file as one."""
        said: dict[str, Any] = {}
        for line in Path(spec.state, "status").read_text().splitlines():
            said.update(json.loads(line))
        return said

    def living(self, spec: SandboxSpec) -> list[int]:
        """Return every living process in a sandbox's pid namespace."""
        return living_in(f"pid:[{self.status(spec)['pid-namespace']}]")

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        """Tell a story with sandboxes open."""

        async def told() -> None:
            self.sandboxes = Sandboxes(cgroup=self.cgroup)
            await self.sandboxes.open()
            try:
                await asyncio.wait_for(story(), 90)
            finally:
                await self._end_all()
                await self.sandboxes.close()

        asyncio.run(told())

    async def _end_all(self) -> None:
        for name in self._made:
            found = self.sandboxes.find(self.folder / name)
            if isinstance(found, Running):
                await found.kill()

    def remove(self) -> None:
        """Remove folders and control groups."""
        for folder in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}") if ROOT else ():
            for below in [*folder.glob("*/"), folder]:
                below.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)


def living_in(namespace: str) -> list[int]:
    """Return the living processes of a pid namespace; a zombie is nobody."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            if os.readlink(path / "ns/pid") == namespace and state != "Z":
                found.append(int(path.name))
        except OSError:
            continue
    return found


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)


@pytest.fixture
def place() -> Iterator[Place]:
    if tier() == "C":
        pytest.skip("no sandbox can be made here")
    made = Place(Path(tempfile.mkdtemp(prefix="pr", dir="/tmp")))
    made.folder.chmod(0o755)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[None]]:
    return until


@pytest.fixture(name="living_in")
def _living_in() -> Callable[[str], list[int]]:
    return living_in


@pytest.fixture
def kill_at_end() -> Iterator[list[int]]:
    """Pids that must not outlive a test, whatever becomes of it."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
