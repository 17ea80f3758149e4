"""Apps and environments at a glance."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from perron import catalog, runtime
from perron.contract.node import EnvironmentReport
from perron.runtime.engines.memory import MemoryEngine
from perron.views.model import Glance, needs_of, state_of

WELL = Glance(has_release=True, is_deploying=False, stopped=False, wished=2, healthy=2)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({}, "healthy"),
        ({"healthy": 1}, "degraded"),
        ({"healthy": 0}, "failed"),
        ({"healthy": None}, "unknown"),
        ({"stopped": True, "wished": 0, "healthy": 0}, "stopped"),
        ({"is_deploying": True, "healthy": 0}, "deploying"),
        ({"has_release": False, "wished": 0}, "empty"),
        ({"wished": 0, "healthy": 0}, "healthy"),
    ],
)
def test_one_word_says_how_an_environment_is(changed, word):
    assert state_of(replace(WELL, **changed)) == word


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"stopped": True}, ""),
        ({"healthy": None}, "perron status"),
        ({"healthy": 1}, "1 of 2 instances"),
        ({"healthy": 1, "in_crash_loop": True}, "again and again"),
    ],
)
def test_what_needs_a_person_is_said(changed, words):
    assert words in needs_of(replace(WELL, **changed), None)


def test_what_is_parked_needs_a_person():
    parked = EnvironmentReport(
        environment="e", generation=1, instances=[], routed=True, parked=True
    )
    assert "let them go" in needs_of(WELL, parked)


def test_apps_are_listed_a_page_at_a_time(ground):
    with ground.writing(ground.ada.id) as uow:
        for number in range(5):
            catalog.add_app(uow, f"app-{number}", team=ground.blue)
    http = ground.http()
    first = http.get("/v1/apps", params={"limit": 4}).json()
    second = http.get("/v1/apps", params={"limit": 4, "after": first["next"]}).json()
    names = [each["name"] for each in first["items"] + second["items"]]
    assert names == ["app-0", "app-1", "app-2", "app-3", "app-4", "shop"]
    assert second["next"] is None
    shop = http.get("/v1/apps/shop").json()
    assert shop["environments"][0]["state"] == "empty"
    assert shop["environments"][0]["url"] == "http://shop.localhost:8080/"


def test_a_page_of_a_thousand_apps_needs_as_many_questions_as_a_page_of_one(ground):
    from sqlalchemy import event

    runtime.use(ground.home, MemoryEngine())
    with ground.writing(ground.ada.id) as uow:
        for number in range(1000):
            catalog.add_app(uow, f"app-{number}", team=ground.blue)
    http, asked = ground.http(), []
    event.listen(
        ground.database, "checkout", lambda driver, *_: driver.set_trace_callback(asked.append)
    )

    def questions(limit):
        asked.clear()
        assert http.get("/v1/apps", params={"limit": limit}).status_code == 200
        return len(asked)

    questions(1)  # the first one also writes down that the token was used
    assert 5 < questions(100) == questions(1) < 20


def test_a_stranger_finds_no_app(ground):
    http = ground.http(ground.person("stranger"))
    assert http.get("/v1/apps").json()["items"] == []
    for path in ("", "/environments", "/environments/production"):
        assert http.get(f"/v1/apps/shop{path}").status_code == 404


def test_an_environment_nobody_saw_is_unknown_and_not_empty(ground):
    assert datetime.now(UTC)
    started = time.monotonic()
    answer = ground.http().get("/v1/apps/shop/environments/production/instances")
    assert answer.status_code == 503
    assert "not known" in answer.json()["detail"]
    assert time.monotonic() - started < 5
