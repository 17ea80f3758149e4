"""The server's process: state, API, background work, and an eye on the agent."""

import json
import logging
import os
import signal
import sys
from threading import Event
from types import FrameType

import uvicorn

from perron import access, builds, releases, runtime
from perron.kit import memory, quiet, settings, steps, written
from perron.kit.db import Database, unit_of_work
from perron.kit.files import write_whole
from perron.kit.problems import Problem
from perron.kit.settings import Home

from . import due, loop, migrations, processes
from .app import create_app
from .database import prepare

FIRST_REPORT = 2.0  # seconds for the agent's first report; without one we serve all the same


def serve() -> int:
    """Run the server until it is told to stop; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    memory.share_arenas()  # before there are threads
    memory.open_many_files()
    home = Home.from_environment(os.environ)
    steps.take_ahead(home.database, migrations.FOLDER, lambda: prepare(home))
    try:
        database = prepare(home)
    except Problem as why:
        sys.stderr.write(f"{why}\n")
        write_whole(home.run / "serve.refused", str(why))
        return 1
    (home.run / "serve.refused").unlink(missing_ok=True)
    written.note(home, due.newest())
    builds.drop_broken(home)
    sign_in_first(home, database)
    _run(home, database)
    return 0


def sign_in_first(home: Home, database: Database) -> None:
    """Make the first administrator, and sign the local command line in as them."""
    login = home.path / "cli.json"
    if login.exists():
        return
    with unit_of_work(database) as uow:
        token = access.bootstrap(uow)
    said = {"url": f"unix://{home.api_socket}", "token": token}
    write_whole(login, json.dumps(said, indent=2) + "\n")


def _run(home: Home, database: Database) -> None:
    """Serve on the unix socket; background work stops when serving does."""
    os.umask(0o077)
    chosen = settings.load(home)
    stop = Event()
    app = create_app(database, home, chosen)
    app.state.seen_at_edge = releases.is_seen_at_edge
    config = uvicorn.Config(
        app, uds=str(home.api_socket), log_level="warning", access_log=False,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    server = uvicorn.Server(config)
    quiet.refuse_quietly()
    running = loop.start(database, home, chosen, stop)
    processes.keep_other(home, "serve", stop)
    _end_on_signals(server)
    # Whoever asks first shall hear how instances are, not that nobody has reported yet.
    processes.wait_for(lambda: runtime.sight_of(home).report is not None, FIRST_REPORT)
    memory.settle()
    try:
        server.run()
    finally:
        stop.set()
        running.join(timeout=10)


def _end_on_signals(server: uvicorn.Server) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
