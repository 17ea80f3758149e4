"""A platform whose clock a test sets, with a live release and an engine that only remembers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from perron import access, catalog, config, releases, runtime
from perron.builds import CronSpec, Manifest, ProcessSpec
from perron.kit import clock, ids, spine
from perron.releases import ReleaseLive, store
from perron.runtime.engines.memory import MemoryEngine
from perron.schedules import controller
from perron.schedules.reactions import REACTIONS
from perron.schedules.service.chores import Chores

PLACE = "/v1/apps/shop/environments/production"
NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


class Hours:
    """The platform, its clock and its schedules."""

    def __init__(self, ground, monkeypatch):
        self.ground, self.now = ground, NOON
        self.engine = MemoryEngine(ground.home)
        runtime.use(ground.home, self.engine)
        monkeypatch.setattr(clock, "now", lambda: self.now)
        ground.ada_token = ground.token
        with ground.writing() as uow:
            ground.token = access.issue_token(uow, ground.ada)
            self.production = catalog.get_environment(uow, ground.shop, "production")
        self.http = ground.http()
        self.number = 0
        self.chores = Chores({}, quiet=0)

    def live(self, **cron):
        """Have a release go live whose perron.toml names these schedules."""
        self.number += 1
        manifest = Manifest(processes={"web": ProcessSpec("run")}, cron=cron)
        release = releases.Release(
            id=ids.new("rel"), environment=self.production.id, number=self.number, kind="deploy",
            source="s", root=".", config="c", config_keys=[], provenance={}, asked_at=self.now,
            by=self.ground.ada.id, state="live", build="b", manifest=manifest.as_json(),
            live_at=self.now,
        )  # fmt: skip
        with self.ground.writing(self.ground.ada.id) as uow:
            before = releases.live_release(uow, self.production.id)
            if before:
                store.change(uow, before.id, state="replaced")
            store.add(uow, release)
            config.take_snapshot(uow, self.production, release.id)
            told = ReleaseLive(release.number, "b", "s", "deploy", None, None, None)
            spine.record(uow, told, subject=release.id, of=self.production.place)
        self.hear()
        return self

    def hear(self):
        spine.catch_up(self.ground.database, "schedules", REACTIONS)

    def pass_(self, **time):
        """Let time pass, and the scheduler look."""
        self.now += timedelta(**time)
        self.look()

    def look(self):
        for _ in range(3):  # written down, begun, ended
            controller.look(self.ground.database, self.ground.home, self.chores)

    def add(self, name="nightly", **told):
        wanted = {"name": name, "schedule": "* * * * *", "command": "clean", **told}
        answer = self.http.post(f"{PLACE}/schedules", json=wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def root(self):
        """Return an administrator at this hour."""
        with self.ground.writing() as uow:
            someone = access.add_person(uow, "root", administrator=True)
            return self.ground.http(access.issue_token(uow, someone))

    def show(self, name="nightly"):
        return self.http.get(f"{PLACE}/schedules/{name}").json()

    def change(self, name="nightly", **told):
        return self.http.patch(f"{PLACE}/schedules/{name}", json=told)

    def run(self, name="nightly"):
        return self.http.post(f"{PLACE}/schedules/{name}/runs")

    def runs(self, name="nightly"):
        """Return what became of each time, oldest first."""
        found = self.http.get(f"{PLACE}/schedules/{name}/runs", params={"limit": 500}).json()
        return found["items"][::-1]

    def states(self, name="nightly"):
        return [each["state"] for each in self.runs(name)]

    def events(self, what):
        return [each["data"] for each in self.ground.events(f"perron.schedule.{what}.v1")]

    def spec(self, **changes):
        return replace(CronSpec("0 3 * * *", "clean"), **changes)


@pytest.fixture
def hours(ground, monkeypatch):
    return Hours(ground, monkeypatch)
