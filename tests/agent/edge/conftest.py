"""A real edge on free ports, real apps behind it, and visitors."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from perron.agent.edge import Backend, Edge, Target
from perron.kit.settings import Home, Settings

APP = Path(__file__).with_name("app.py")


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


async def until(is_so, within=10.0):
    end = time.monotonic() + within
    while True:
        found = is_so()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        assert time.monotonic() < end, "it never became so"
        await asyncio.sleep(0.01)


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    heads: list

    @property
    def text(self):
        return self.body.decode(errors="replace")


async def exchange(port, raw, *, method="GET"):
    """Send raw bytes, return the whole answer; the connection is closed afterwards."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        return await answer(reader, method=method)
    finally:
        writer.close()


async def answer(reader, *, method="GET"):
    heads = []
    while True:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
        heads.append(head)
        status = int(head.split()[1])
        if status != 100:
            break
    lines = [line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line]
    headers = {name.lower(): value.strip() for name, value in lines}
    if method == "HEAD" or status in (101, 204, 304):
        body = b""
    elif "content-length" in headers:
        body = await asyncio.wait_for(reader.readexactly(int(headers["content-length"])), 20)
    else:
        body = await asyncio.wait_for(reader.read(-1), 20)
    return Answer(status, headers, body, heads)


@dataclass
class App:
    """One instance of an app: a process of its own, so that it can really be killed."""

    port: int
    process: subprocess.Popen
    number: int

    def target(self, release=7, *, serving=True, app="shop"):
        return Target(
            name=f"ins_{self.number}",
            label=f"{app}.v{release}.web.1",
            port=self.port,
            serving=serving,
            release=release,
            instance="web.1",
        )

    def kill(self):
        self.process.kill()
        self.process.wait()


@dataclass
class World:
    home: Home
    settings: Settings
    edge: Edge
    apps: list = field(default_factory=list)

    async def app(self, *arguments, port=None):
        port = port or free_ports(1)[0]
        process = subprocess.Popen([sys.executable, str(APP), str(port), *arguments])
        app = App(port, process, len(self.apps) + 1)
        self.apps.append(app)

        def answers():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True

        await until(answers)
        return app

    def backend(self, *targets, name="shop", **more):
        return Backend(f"env_{name}", (f"{name}.localhost",), tuple(targets), **more)

    async def get(self, path="/", host="shop.localhost", method="GET", body=b"", headers=""):
        length = f"Content-Length: {len(body)}\r\n" if body or method in ("POST", "PUT") else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{headers}Connection: close\r\n"
        return await exchange(
            self.settings.http_port, head.encode() + b"\r\n" + body, method=method
        )

    async def get_of(self, app, path):
        """Ask an instance itself, past the edge."""
        return await exchange(app.port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.settings.http_port)

    @property
    def master(self):
        return self.edge._process.pid

    async def reopen(self):
        """Let another agent take over."""
        await self.edge.detach()
        self.edge = Edge(self.home, self.settings)
        await self.edge.start()


@pytest.fixture
def run():
    """Run a test's coroutine with a world, and clean up whatever became of it."""

    def run(story, **settings):
        asyncio.run(_within_a_world(story, settings))

    return run


async def _within_a_world(story, more):
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    http, https = free_ports(2)
    settings = replace(Settings(http_port=http, https_port=https, bind="127.0.0.1"), **more)
    home = Home(folder)
    world = World(home, settings, Edge(home, settings))
    try:
        await world.edge.start()
        await story(world)
    finally:
        for app in world.apps:
            app.kill()
        await world.edge.stop()
        for pid in _orphans(folder):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _orphans(folder):
    """What a failed test may have left."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                yield int(entry.name)
