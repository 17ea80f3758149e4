"""A platform to try releases on: real SQLite, real sources, and an engine that only remembers."""

import io
import shutil
import tarfile
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from perron import access, builds, catalog, config, operations, releases, runtime
from perron.builds.service.sources import note_source
from perron.catalog import App, Environment
from perron.config import Value
from perron.kit import bell, spine
from perron.kit.db import Database, open_database, reading, unit_of_work
from perron.kit.settings import Home, Settings
from perron.kit.tables import metadata
from perron.operations.controller import Controller as Operations
from perron.releases import store
from perron.releases.reactions import REACTIONS
from perron.releases.workflows import WORKFLOWS
from perron.runtime.controller import Controller as Runtime
from perron.runtime.engines.memory import MemoryEngine

PROCFILE = "web: python3 app.py\n"


def wait_until(is_so, within=15.0):
    end = time.monotonic() + within
    while not (found := is_so()):
        assert time.monotonic() < end, "it never became so"
        bell.wait(bell.heard(), 0.02)
    return found


@dataclass
class Platform:
    """Team blue with app shop, and Ada who owns it all."""

    home: Home
    database: Database
    engine: MemoryEngine
    actor: access.Actor
    token: str
    shop: App
    production: Environment
    threads: list[Thread] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def writing(self):
        return unit_of_work(self.database, actor=self.actor.id, actor_kind="person")

    def reading(self):
        return reading(self.database)

    def run(self):
        works = (
            lambda: Operations(self.database, WORKFLOWS).run(self.stop),
            lambda: Runtime(self.database, self.home).run(self.stop),
            self._hear,
        )
        for work in works:
            thread = Thread(target=work, daemon=True)
            thread.start()
            self.threads.append(thread)

    def _hear(self):
        while not self.stop.is_set():
            heard = bell.heard()
            spine.catch_up(self.database, "releases", REACTIONS)
            bell.wait(heard, 1.0)

    def until(self, is_so):
        return wait_until(is_so)

    def end(self):
        self.stop.set()
        while any(thread.is_alive() for thread in self.threads):
            bell.ring()
            time.sleep(0.02)

    def source(self, files=None, *, procfile=PROCFILE):
        contents = {"Procfile": procfile, "words.txt": "pass\n"} | (files or {})
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, text in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
        source = builds.keep_source(self.home, Settings(), [packed.getvalue()])
        with self.writing() as uow:
            note_source(uow, self.shop, source)
        return source.digest

    def ask(self, source=None, environment=None, force=True, **provenance):
        source = source or self.source()
        with self.writing() as uow:
            return releases.deploy(
                uow,
                environment or self.production,
                source=source,
                root=".",
                provenance=provenance,
                force=force,
            )

    def deploy(self, source=None, environment=None, **provenance):
        return self.finish(self.ask(source, environment, **provenance))

    def finish(self, release):
        ended = self.ended(release.operation)
        assert ended.state == "done", ended.reason
        return self.find(release)

    def ended(self, operation):
        def look():
            with self.reading() as uow:
                found = operations.get_operation(uow, operation)
            return found if found.is_over and found.settled else None

        return wait_until(look)

    def find(self, release):
        with self.reading() as uow:
            return store.find(uow, release.id)

    def states(self, environment=None):
        with self.reading() as uow:
            history = store.history(uow, (environment or self.production).id)
        return {release.number: release.state for release in history}

    def set_config(self, unset=(), secret=False, build=False, **values):
        with self.writing() as uow:
            return releases.change_config(
                uow,
                self.production,
                set={name: Value(text, secret, build) for name, text in values.items()},
                unset=list(unset),
            )

    def told(self):
        """What the instances that serve are told."""
        sets = self.wish().wish.sets
        return sets[0].env

    def wish(self, environment=None):
        with self.reading() as uow:
            return runtime.find_wish(uow, (environment or self.production).id)

    def running(self):
        """Return process, release and revision of every instance."""
        with self.reading() as uow:
            report = runtime.observed(uow, self.production.id)
        return sorted((i.process, i.release, i.revision) for i in report.instances)

    def events(self, type):
        with self.reading() as uow:
            query = spine.events.select().where(spine.events.c.type == type)
            return [dict(row) for row in uow.connection.execute(query).mappings()]

    def said(self, operation):
        from perron.operations import store as journal

        with self.reading() as uow:
            return journal.said(uow, operation)

    def values(self):
        with self.reading() as uow:
            return config.values(uow, self.production)


@pytest.fixture
def platform():
    with ExitStack() as stack:
        platform = stack.enter_context(_platform())
        platform.run()
        yield platform


@pytest.fixture
def still():
    """A platform whose background work does not go on by itself."""
    with _platform() as platform:
        yield platform


@contextmanager
def _platform():
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    home = Home(folder)
    home.sources.mkdir()
    database = open_database(f"sqlite:///{home.database}")
    metadata.create_all(database)
    with unit_of_work(database) as uow:
        team = access.add_team(uow, "blue")
        ada = access.add_person(uow, "Ada")
        access.join(uow, ada, team=team, role="owner")
        shop = catalog.add_app(uow, "shop", team=team)
        production = catalog.get_environment(uow, shop, "production")
        token = access.issue_token(uow, ada)
    engine = MemoryEngine(home)
    runtime.use(home, engine)
    platform = Platform(home, database, engine, ada, token, shop, production)
    try:
        yield platform
    finally:
        platform.end()
        database.dispose()
        shutil.rmtree(folder)
