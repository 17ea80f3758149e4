"""The platform API over real state, and people of every standing."""

import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

DEADLINE = 20.0


def pytest_configure():
    """A runner in the background ignores Ctrl C, and so would every command it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Ground:
    """A home with the API over it: team blue with app shop, and Ada who owns it all."""

    def __init__(self, path: Path) -> None:
        from perron import access, catalog
        from perron.kit.settings import Home, Settings
        from perron.server.app import create_app
        from perron.server.database import prepare

        self.home, self.settings = Home(path), Settings()
        self.database = prepare(self.home)
        self.app = create_app(self.database, self.home, self.settings)
        with self.writing() as uow:
            self.root = access.bootstrap(uow, name="root")
            self.blue = access.add_team(uow, "blue")
            self.red = access.add_team(uow, "red")
            self.ada = access.add_person(uow, "Ada")
            access.join(uow, self.ada, team=self.blue, role="owner", employer="ACME")
            self.token = access.issue_token(uow, self.ada)
            self.shop = catalog.add_app(uow, "shop", team=self.blue)

    @contextmanager
    def writing(self, actor: str | None = None):
        from perron.kit.db import unit_of_work

        with unit_of_work(self.database, actor=actor, actor_kind="person") as uow:
            yield uow

    @contextmanager
    def reading(self):
        from perron.kit.db import reading

        with reading(self.database) as uow:
            yield uow

    def person(self, role: str | None, *, team: str | None = None, name: str = "Sam") -> str:
        """Let somebody in and return their token; ``stranger`` is in another team."""
        from perron import access

        with self.writing() as uow:
            someone = access.add_person(uow, name, administrator=role == "administrator")
            if role == "stranger":
                access.join(uow, someone, team=self.red, role="owner")
            elif role in access.ROLES:
                access.join(uow, someone, team=team or self.blue, role=role)
            return access.issue_token(uow, someone)

    def http(self, token: str | None = None, **headers: str) -> httpx.Client:
        from fastapi.testclient import TestClient

        given = {"Authorization": f"Bearer {self.token if token is None else token}", **headers}
        return TestClient(self.app, headers=given, raise_server_exceptions=False)

    def events(self, type: str) -> list[dict]:
        from sqlalchemy import select

        from perron.kit.spine import events

        with self.reading() as uow:
            query = select(events).where(events.c.type == type).order_by(events.c.position)
            return [dict(row) for row in uow.connection.execute(query).mappings()]


@contextmanager
def grounded():
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    made = Ground(folder)
    try:
        yield made
    finally:
        made.database.dispose()
        shutil.rmtree(folder)


@pytest.fixture
def ground():
    with grounded() as made:
        yield made


@pytest.fixture(scope="module")
def shared_ground():
    """One platform for all tests of a file: quick, for tests that only look."""
    with grounded() as made:
        yield made


@pytest.fixture
def wait_until():
    """Look again until it is so; what a test must never do is sleep and hope."""

    def wait_until(is_so, within=DEADLINE):
        end = time.monotonic() + within
        while not (found := is_so()):
            assert time.monotonic() < end, "it never became so"
            time.sleep(0.02)
        return found

    return wait_until
