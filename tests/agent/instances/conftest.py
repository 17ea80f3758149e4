"""A node with real sandboxes, logs and builds, and an edge that keeps its promise in memory."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from perron.agent import store
from perron.agent.builds import Builds
from perron.agent.edge import Backend, TargetState
from perron.agent.instances import Instances, Tools
from perron.agent.logs import Logs, Query
from perron.agent.places import Places
from perron.agent.sandbox import Sandboxes, tier
from perron.agent.volumes import Volumes
from perron.contract.node import (
    BuildPlan,
    EnvironmentWish,
    HealthCheck,
    InstanceReport,
    ProcessSet,
    WishDocument,
)
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings

SLOT = 7
PATIENCE = 20.0

SERVER = """
import http.server, os, signal, sys, threading, time
def stop(*_):
    print('asked to stop', flush=True); os._exit(0)
signal.signal(signal.SIGTERM, stop)
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/crash': os._exit(7)
        status = 500 if self.path == '/500' else 200
        self.send_response(status); self.end_headers()
        self.wfile.write(os.environ.get('WORD', 'ok').encode())
    def log_message(self, *a): pass
print('started', os.environ['PERRON_INSTANCE'], flush=True)
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()
"""
WORKER = """
import os, time
number = 0
while True:
    print('line', number, flush=True); number += 1
    time.sleep(0.01)
"""


class MemoryEdge:
    """Leads nobody anywhere, and remembers what it was told; tests say what is in flight."""

    def __init__(self) -> None:
        self.backends: dict[str, Backend] = {}
        self.history: list[dict[str, bool]] = []
        self.flights: dict[str, int] = {}
        self.down: set[str] = set()
        self.closed: list[str] = []

    async def apply(self, backends: Sequence[Backend]) -> None:
        self.backends = {each.environment: each for each in backends}
        self.history.append(self.serving())

    def serving(self) -> dict[str, bool]:
        return {
            target.label: target.serving
            for each in self.backends.values()
            for target in each.targets
        }

    async def in_flight(self) -> dict[str, int]:
        return dict(self.flights)

    async def close(self, target: str) -> int:
        self.closed.append(target)
        return self.flights.pop(target, 0)

    async def states(self) -> dict[str, TargetState]:
        return {
            target.name: TargetState(target.name not in self.down, datetime.now(UTC), 0)
            for each in self.backends.values()
            for target in each.targets
        }

    def is_up(self) -> bool:
        return True


class Node:
    """One node under test; it can be opened again and again, as after kills of the agent."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.settings = Settings(slot=SLOT)
        self.edge = MemoryEdge()
        self.generation = 0
        self.instances: Instances
        self.tools: Tools
        self.ended: list[str] = []

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[Instances]:
        """Be the agent for a while."""
        database = store.prepare(self.home)
        places = Places(database, self.home, self.settings)
        logs = Logs(self.home, self.settings)
        self.tools = Tools(
            home=self.home,
            settings=self.settings,
            database=database,
            sealer=Sealer.from_file(self.home.keys / "node.key"),
            places=places,
            sandboxes=Sandboxes(bwrap="", cgroup=f"perron-test-{os.getpid()}"),
            builds=Builds(self.home, self.settings),
            logs=logs,
            volumes=Volumes(database, self.settings, places, logs),
            edge=self.edge,  # type: ignore[arg-type]
        )
        self.instances = Instances(self.tools, self._farewell)
        logs.open()
        await self.tools.sandboxes.open()
        await self.instances.open()
        try:
            yield self.instances
        finally:
            await self.instances.close()
            await self.tools.sandboxes.close()
            logs.close()
            database.dispose()

    async def _farewell(self, environment: str) -> None:
        self.ended.append(environment)
        self.tools.volumes.forget(environment)
        self.tools.places.free_uid(environment)

    def build(self, name: str, program: str) -> str:
        """Keep a build with one program."""
        app = Path(tempfile.mkdtemp(dir=self.home.path))
        (app / "app.py").write_text(program)
        Builds(self.home, self.settings).keep(name, BuildPlan(), app)
        return name

    def hear(self, *wishes: EnvironmentWish, gone: Sequence[str] = ()) -> None:
        """Hand over the next document."""
        self.generation += 1
        self.instances.hear(
            WishDocument(generation=self.generation, wishes=list(wishes), gone=list(gone))
        )

    async def reports(self) -> list[InstanceReport]:
        """Return what runs."""
        report = await self.instances.reports.report()
        return [each for environment in report.environments for each in environment.instances]

    async def until(self, is_so: Callable[[], Awaitable[Any]], what: str) -> Any:
        """Wait for a condition, with a deadline."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := await is_so():
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"not {what}: {await self.reports()}")

    async def until_states(self, *wanted: str) -> list[InstanceReport]:
        """Wait until the instances are exactly in these states, written ``web.1 v1 healthy``."""

        async def look() -> list[InstanceReport] | None:
            found = await self.reports()
            seen = sorted(f"{each.name} v{each.release} {each.state}" for each in found)
            return found if seen == sorted(wanted) else None

        found = await self.until(look, f"all of {wanted}") if wanted else []
        if not wanted:
            await self.until(self._is_empty, "empty")
        return list(found)

    async def _is_empty(self) -> bool:
        return not await self.reports()

    async def lines(self, environment: str = "env_a", source: str | None = None) -> list[str]:
        """Return what the log of an environment holds."""
        page = await self.tools.logs.read(Query(environment, source, limit=10_000))
        return [line.text for line in page.lines]


def web(release: int = 1, count: int = 1, **given: Any) -> ProcessSet:
    """Return a set of web instances."""
    given.setdefault("health", HealthCheck(deadline=10.0))
    return ProcessSet(
        process=given.pop("process", "web"),
        release=release,
        revision=given.pop("revision", "r1"),
        build=given.pop("build", "server"),
        command=given.pop("command", "/usr/bin/python3 app.py"),
        count=count,
        **given,
    )


def worker(release: int = 1, count: int = 1, **given: Any) -> ProcessSet:
    """Return a set of workers."""
    given.setdefault("health", HealthCheck(kind="up", up_for=0.3))
    return web(release, count, process="worker", build=given.pop("build", "worker"), **given)


def wish(*sets: ProcessSet, environment: str = "env_a", **given: Any) -> EnvironmentWish:
    """Return what is wished for one environment."""
    return EnvironmentWish(
        environment=environment,
        app="app_a",
        team="team_a",
        app_name="shop",
        environment_name="production",
        hosts=["shop.localhost"],
        sets=list(sets),
        **given,
    )


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run the body of a test."""
    asyncio.run(asyncio.wait_for(body(), 90))


@pytest.fixture
def node() -> Iterator[Node]:
    """Return a node; whatever it started is stopped at the end."""
    if tier() == "C":
        pytest.skip("no sandbox on this machine")
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    made = Node(folder)
    made.build("server", SERVER)
    made.build("worker", WORKER)
    yield made
    run(lambda: _stop(made))
    shutil.rmtree(folder, ignore_errors=True)


async def _stop(node: Node) -> None:
    from perron.agent.instances import rest

    database = store.prepare(node.home)
    places = Places(database, node.home, node.settings)
    sandboxes = Sandboxes(bwrap="", cgroup=f"perron-test-{os.getpid()}")
    await rest(database, Sealer.from_file(node.home.keys / "node.key"), places, sandboxes)
    database.dispose()
