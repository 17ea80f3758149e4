"""A trail over a real database: its keeper, and the hands that tamper with it."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from perron.audit.controller import Keeper


class Trail:
    """The trail of one ground, kept when asked."""

    def __init__(self, ground):
        self.ground = ground
        self.folder = ground.home.path / "audit"
        self.keeper = Keeper(ground.database, ground.home)
        self.root = ground.http(ground.root)

    def keep(self, *, for_good=False):
        self.keeper.look(for_good=for_good)
        return self

    def happen(self, count=3, *, prefix="app"):
        """Let so many apps be made: two events each."""
        http = self.ground.http()
        for number in range(count):
            assert http.post("/v1/apps", json={"name": f"{prefix}{number}"}).status_code == 201
        return self

    def sql(self, *statements):
        """Change the database behind the platform's back."""
        with closing(sqlite3.connect(self.ground.home.database)) as connection:
            for each in statements:
                connection.execute(each)
            connection.commit()

    def ask(self, query):
        with closing(sqlite3.connect(self.ground.home.database)) as connection:
            return connection.execute(query).fetchall()

    @property
    def end(self):
        return self.ask("SELECT max(position) FROM event")[0][0]

    def verify(self, **body):
        answer = self.root.post("/v1/audit/verify", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def first_fault(self):
        found = self.verify()
        assert found["answer"] == "broken", found
        return found["faults"][0]

    def head(self):
        return self.root.get("/v1/audit/head").json()

    def copy(self, to):
        """Copy the database as an intruder would."""
        with (
            closing(sqlite3.connect(self.ground.home.database)) as source,
            closing(sqlite3.connect(to)) as target,
        ):
            source.backup(target)

    def put(self, copy):
        """Put another database in place of this one."""
        self.ground.database.dispose()
        for end in ("-wal", "-shm"):
            self.ground.home.database.with_name(f"perron.db{end}").unlink(missing_ok=True)
        shutil.copyfile(copy, self.ground.home.database)


@pytest.fixture
def trail(ground):
    return Trail(ground)
