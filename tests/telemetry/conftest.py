"""The platform API and a machine's real logs, each behind a socket of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from perron import catalog
from perron.agent.logs import Logs
from perron.agent.routes import router


@contextmanager
def serving(app: FastAPI, path: str) -> Iterator[None]:
    """Serve an app on a unix socket."""
    config = uvicorn.Config(app, uds=path, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    server.config.timeout_graceful_shutdown = 1
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)


class Machine:
    """The ground with an agent that keeps logs, and that can be away."""

    def __init__(self, ground: Any) -> None:
        self.ground, self.home = ground, ground.home
        with ground.reading() as uow:
            self.production = catalog.get_environment(uow, ground.shop, "production")
        self.home.run.mkdir(exist_ok=True)
        self.logs = Logs(self.home, ground.settings)
        self.logs.open()

    @contextmanager
    def agent(self) -> Iterator[None]:
        """Have the agent's part that reads logs answer."""
        app = FastAPI()
        app.include_router(router)
        app.state.rooms = SimpleNamespace(tools=SimpleNamespace(logs=self.logs))
        with serving(app, str(self.home.agent_socket)):
            yield

    def say(self, text: str, **labels: Any) -> None:
        """Write a line of the platform into production's log."""
        self.logs.say(self.production.id, text, **labels)

    @contextmanager
    def api(self, token: str) -> Iterator[httpx.Client]:
        """Serve the platform API on its socket, and speak to it."""
        path = str(self.home.api_socket)
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.HTTPTransport(uds=path)
        with (
            serving(self.ground.app, path),
            httpx.Client(
                transport=transport, base_url="http://api", headers=headers, timeout=20
            ) as client,
        ):
            yield client


@pytest.fixture
def machine(ground: Any) -> Iterator[Machine]:
    made = Machine(ground)
    yield made
    made.logs.close()
