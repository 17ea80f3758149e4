"""The agent's process: takes its place, opens its rooms, answers until told to end."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from sqlalchemy.exc import DatabaseError, OperationalError

from perron.kit import clock, memory
from perron.kit.db import unit_of_work
from perron.kit.files import private_folder
from perron.kit.lock import LockHeld, hold
from perron.kit.quiet import refuse_quietly
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings

from . import store
from .builds import Builds
from .edge import Edge
from .instances import Instances, Tools
from .jobs import Jobs
from .logs import Logs
from .places import Places
from .routes import Rooms, create_app
from .sandbox import Sandboxes, find_bwrap, tier
from .volumes import Volumes

TAKEN = 75  # EX_TEMPFAIL: another agent holds this home
GOODBYE = 2  # seconds for answers that are under way when the agent ends
log = logging.getLogger("perron.agent")


def serve(home: Home, settings: Settings) -> None:
    """Be this home's agent until SIGTERM or SIGINT; everything it runs goes on."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    for each in ("alembic", "uvicorn.error"):
        logging.getLogger(each).setLevel(logging.WARNING)
    refuse_quietly()
    private_folder(home.run)
    private_folder(home.node)
    try:
        lock = hold(home.run / "agent.lock")
    except LockHeld as why:
        sys.stderr.write(f"An agent runs already for {home.path}: {why}\n")
        sys.exit(TAKEN)
    try:
        asyncio.run(_serve(home, settings))
    except DatabaseError as why:
        if isinstance(why, OperationalError):
            raise
        sys.exit(_damaged(home, why))
    finally:
        lock.release()


def _damaged(home: Home, why: DatabaseError) -> str:
    database = home.node_database
    return (
        f"{database} is damaged ({why.orig}). Apps and edge go on serving meanwhile.\n"
        f"Move it away and start again: mv {database} {database}.damaged; "
        f"rm -f {database}-wal {database}-shm; perron up\n"
        "Volumes and builds are kept; every instance is started anew from what perron.db wishes."
    )


async def _serve(home: Home, settings: Settings) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with _opened(home, settings) as rooms:
        server = _Server(_config(rooms))
        with _listening(home.agent_socket) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            told = asyncio.create_task(ended.wait())
            log.info("The agent answers at %s.", home.agent_socket)
            memory.settle()
            await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await serving
    log.info("The agent ends; apps and edge go on.")


@asynccontextmanager
async def _opened(home: Home, settings: Settings) -> AsyncIterator[Rooms]:
    """Open every room, lower floors first, and close them the other way round."""
    tools = _tools(home, settings)
    jobs = _jobs(tools)
    instances = Instances(tools, _Farewell(tools, jobs).say)
    with unit_of_work(tools.database) as uow:
        node = store.node_id(uow)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(tools.database.dispose)
        tools.logs.open()
        stack.callback(tools.logs.close)
        await tools.sandboxes.open()
        stack.push_async_callback(tools.sandboxes.close)
        await tools.edge.start()
        stack.push_async_callback(tools.edge.detach)
        stack.callback(_watch_volumes(tools.volumes).set)
        await tools.sandboxes.tidy(_states(home))
        await jobs.open()
        stack.push_async_callback(jobs.close)
        await instances.open()
        stack.push_async_callback(instances.close)
        yield Rooms(tools, node, clock.now(), instances, jobs)


def _tools(home: Home, settings: Settings) -> Tools:
    database = store.prepare(home)
    places = Places(database, home, settings, one_uid=tier(find_bwrap(settings.bwrap)) == "C")
    logs = Logs(home, settings)
    return Tools(
        home=home,
        settings=settings,
        database=database,
        sealer=Sealer.from_file(home.keys / "node.key"),
        places=places,
        sandboxes=Sandboxes(bwrap=settings.bwrap, cgroup=settings.cgroup, trusted=settings.trusted),
        builds=Builds(home, settings),
        logs=logs,
        volumes=Volumes(database, settings, places, logs),
        edge=Edge(home, settings, logs),
    )


def _jobs(tools: Tools) -> Jobs:
    return Jobs(
        tools.home,
        tools.settings,
        database=tools.database,
        sealer=tools.sealer,
        sandboxes=tools.sandboxes,
        logs=tools.logs,
        builds=tools.builds,
        places=tools.places,
        volumes=tools.volumes,
    )


def _states(home: Home) -> list[Path]:
    """Return every folder in which an agent before us may have begun a start."""
    return [*home.node.glob("instances/*/"), *home.node.glob("jobs/*/*/")]


class _Farewell:
    """Removes what an environment leaves behind when nothing of it runs any more."""

    def __init__(self, tools: Tools, jobs: Jobs) -> None:
        self._tools = tools
        self._jobs = jobs

    async def say(self, environment: str) -> None:
        """End its jobs, then remove its files and log; its uid is free when no file has it."""
        await self._jobs.forget(environment)
        await asyncio.to_thread(self._tools.volumes.forget, environment)
        await asyncio.to_thread(self._tools.logs.forget, environment)
        self._tools.places.free_uid(environment)


class _Server(uvicorn.Server):
    """Leaves signals to the agent."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(rooms: Rooms) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(rooms),
        loop="asyncio",
        ws="websockets-sansio",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GOODBYE,
        timeout_keep_alive=75,
    )


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """Listen where only we can connect; what a killed agent left there goes first."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    try:
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)


def _watch_volumes(volumes: Volumes) -> threading.Event:
    ending = threading.Event()
    threading.Thread(target=volumes.watch, args=(ending,), name="volumes", daemon=True).start()
    return ending
