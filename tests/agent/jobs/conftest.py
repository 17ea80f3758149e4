"""A node's rooms over a real sandbox, in a home of their own."""

import asyncio
import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from perron.agent import store
from perron.agent.builds import Builds, remove
from perron.agent.jobs import Jobs
from perron.agent.logs import Logs, Query
from perron.agent.places import Places
from perron.agent.sandbox import Sandboxes
from perron.agent.volumes import Volumes
from perron.contract.node import BuildPlan, JobKind, JobReport, JobSpec
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings

SETTINGS = Settings(slot=8, build_timeout=60, disk_reserve=64 << 20)


class Node:
    """One node, whose agent can be closed and opened again."""

    def __init__(self, path: Path, settings: Settings = SETTINGS) -> None:
        self.home = Home(path)
        self.settings = settings

    async def open(self) -> "Node":
        """Open every room that jobs need."""
        home, settings = self.home, self.settings
        database = store.prepare(home)
        sealer = Sealer.from_file(home.keys / "node.key")
        places = Places(database, home, settings)
        self.logs = Logs(home, settings)
        self.logs.open()
        self.builds = Builds(home, settings)
        self.sandboxes = Sandboxes(bwrap=settings.bwrap, cgroup=settings.cgroup)
        await self.sandboxes.open()
        volumes = Volumes(database, settings, places, self.logs)
        self.jobs = Jobs(
            home,
            settings,
            database,
            sealer,
            self.sandboxes,
            self.logs,
            self.builds,
            places,
            volumes,
        )
        await self.jobs.open()
        return self

    async def close(self) -> None:
        """Close every room; what runs goes on."""
        await self.jobs.close()
        await self.sandboxes.close()
        self.logs.close()

    def source(self, files: Mapping[str, str]) -> str:
        """Keep a source and return its digest."""
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        digest = sha256(made.getvalue()).hexdigest()
        self.home.sources.mkdir(exist_ok=True, parents=True)
        (self.home.sources / f"{digest}.tar.gz").write_bytes(made.getvalue())
        return digest

    async def ended(self, name: str, seconds: float = 60) -> JobReport:
        """Wait until a job has ended."""
        async with asyncio.timeout(seconds):
            while (report := await self.jobs.report(name, 5)).finished is None:
                continue
        return report

    async def gone(self, name: str, seconds: float = 10) -> None:
        """Wait until nothing of a job is left on the disk."""
        async with asyncio.timeout(seconds):
            while (self.home.node / "jobs" / name).exists():
                await asyncio.sleep(0.01)

    async def lines(self, **query: Any) -> list[str]:
        """Return what the log of the environment says."""
        page = await self.logs.read(Query("env_1", **query))
        return [line.text for line in page.lines]


def spec(kind: JobKind, **rest: Any) -> JobSpec:
    """Return a job of the one app there is."""
    return JobSpec(
        kind=kind,
        environment="env_1",
        app="app_1",
        team=rest.pop("team", "team_1"),
        app_name="shop",
        environment_name="production",
        **rest,
    )


def build_spec(source: str, plan: BuildPlan, output: str = "build1", **rest: Any) -> JobSpec:
    """Return a build job."""
    return spec(JobKind.BUILD, source=source, plan=plan, output=output, **rest)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    yield path
    with suppress(FileNotFoundError):
        remove(path / "node")
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def on_node(folder: Path) -> Callable[..., None]:
    """Run a coroutine with an open node."""

    def run(story: Callable[[Node], Coroutine[Any, Any, None]], **settings: Any) -> None:
        async def whole() -> None:
            node = await Node(folder, Settings(**{**vars(SETTINGS), **settings})).open()
            try:
                await story(node)
            finally:
                await node.close()

        asyncio.run(whole())

    return run
