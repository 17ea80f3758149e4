"""A journal on real SQLite, and a controller that runs as the server's does."""

import time
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from perron import operations
from perron.kit import bell
from perron.kit.db import open_database, reading, unit_of_work
from perron.kit.spine import Place
from perron.kit.tables import metadata
from perron.operations import service, store
from perron.operations.controller import Controller

DEADLINE = 20.0


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'perron.db'}")
    metadata.create_all(database)
    yield database
    database.dispose()


@pytest.fixture
def wait_until():
    """Look again until it is so; what a test must never do is sleep and hope."""

    def wait_until(is_so, within=DEADLINE):
        end = time.monotonic() + within
        while not (found := is_so()):
            assert time.monotonic() < end, "it never became so"
            bell.wait(bell.heard(), 0.02)
        return found

    return wait_until


@pytest.fixture
def journal(database, wait_until):
    """What a test asks of the journal."""
    return Journal(database, wait_until)


class Journal:
    def __init__(self, database, wait_until):
        self.database = database
        self.wait_until = wait_until

    def start(self, work="bake", *, lock="oven", subject="cake", correlation=None):
        with unit_of_work(self.database, actor="per_ada", actor_kind="person") as uow:
            return operations.start(
                uow,
                work,
                subject=subject,
                lock=lock,
                team="team_1",
                place=Place("team_1", "app_1", "env_1"),
                correlation=correlation,
            )

    def get(self, operation):
        with reading(self.database) as uow:
            return service.get_operation(uow, operation.id)

    def state(self, operation):
        return self.get(operation).state

    def steps(self, operation):
        with reading(self.database) as uow:
            return {mark.name: mark.state for mark in store.marks(uow, operation.id).values()}

    def mark(self, operation, step):
        with reading(self.database) as uow:
            return store.marks(uow, operation.id)[step]

    def said(self, operation):
        with reading(self.database) as uow:
            return store.said(uow, operation.id)

    def cancel(self, operation, state="cancelled", reason="Ada changed her mind."):
        with unit_of_work(self.database, actor="per_ada", actor_kind="person") as uow:
            return operations.cancel(uow, operation.id, state=state, reason=reason)

    def wait(self, operation, *states):
        self.wait_until(lambda: self.state(operation) in (states or ("done",)))

    @contextmanager
    def controlled(self, workflows, **options):
        """Let a controller run for as long as the block lasts."""
        stop = Event()
        controller = Controller(self.database, workflows, **options)
        thread = Thread(target=controller.run, args=(stop,))
        thread.start()
        try:
            yield controller
        finally:
            stop.set()
            bell.ring()
            thread.join(DEADLINE)
            assert not thread.is_alive()
