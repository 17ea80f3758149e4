"""What happened to an app, in words."""

import re
from pathlib import Path

import pytest

from perron import catalog
from perron.views.model import TOLD, tell

EVENTS = Path(__file__).parents[2] / "docs/reference/events.md"


@pytest.mark.parametrize(
    ("type", "data", "words"),
    [
        ("perron.release.live.v1", {"number": 3, "before": 2, "reason": ""}, "deployed 3, after 2"),
        (
            "perron.release.failed.v1",
            {"number": 4, "reason": "web did not answer."},
            "deployed 4, which failed: web did not answer",
        ),
        (
            "perron.scale.changed.v1",
            {"before": {"web": 1, "worker": 1}, "after": {"web": 3, "worker": 1}},
            "scaled web from 1 to 3",
        ),
        ("perron.config.changed.v1", {"set": list("ABCDE"), "unset": []}, "set A, B, C and 2 more"),
        ("perron.maintenance.changed.v1", {"on": False}, "ended maintenance"),
    ],
)
def test_an_event_is_told_as_a_person_would(type, data, words):
    assert tell(type, data) == words


def test_every_event_that_is_told_is_one_that_happens():
    assert set(TOLD) <= set(re.findall(r"^## (\S+)$", EVENTS.read_text(), re.M))


def test_activity_is_shown_newest_first_a_page_at_a_time(ground):
    production = _two_changes(ground)
    http = ground.http()
    first = http.get("/v1/apps/shop/activity", params={"limit": 2}).json()
    assert [each["text"] for each in first["items"]] == ["set B", "set A"]
    assert [each["by_name"] for each in first["items"]] == ["Ada", "Ada"]
    rest = http.get("/v1/apps/shop/activity", params={"after": first["next"]}).json()
    assert "created the app shop" in [each["text"] for each in rest["items"]]
    there = http.get("/v1/apps/shop/activity", params={"environment": production.name}).json()
    assert {each["environment"] for each in there["items"]} == {"production"}


def test_activity_of_another_team_is_not_there(ground):
    _two_changes(ground)
    asked = ground.http(ground.person("stranger")).get("/v1/apps/shop/activity")
    assert asked.status_code == 404


def test_a_cursor_of_somebody_else_is_refused(ground):
    assert ground.http().get("/v1/apps/shop/activity?after=x").status_code == 422


def _two_changes(ground):
    for key in ("A", "B"):
        ground.http().patch(
            "/v1/apps/shop/environments/production/config", json={"set": {key: {"value": "1"}}}
        )
    with ground.reading() as uow:
        app = catalog.get_app(uow, "shop")
        return catalog.get_environment(uow, app, "production")
