"""The start page: what needs somebody first, whatever page is asked for."""

import pytest

from perron import catalog, runtime
from perron.runtime.engines.memory import MemoryEngine
from perron.views.model import Standing, behind, by_use, in_order, totals


def standing(name, state="healthy", *, instances=1, healthy=1, environment="production"):
    return Standing(f"app_{name}", name, "tem_1", environment, state, instances, healthy)


def test_what_needs_somebody_comes_first_then_by_name():
    all_of_them = [
        standing("b"), standing("a"), standing("z", "failed"), standing("c", "stopped"),
        standing("y", "unknown", healthy=None), standing("d", "deploying"),
    ]  # fmt: skip
    names = [each.name for each in in_order(all_of_them, match="")]
    assert names == ["y", "z", "a", "b", "d", "c"]
    after_z = behind(in_order(all_of_them, match=""), (0, "z"))
    assert [each.name for each in after_z] == ["a", "b", "d", "c"]


def test_a_filter_finds_any_part_of_a_name():
    found = in_order([standing("web-shop"), standing("docs")], match="SHOP")
    assert [each.name for each in found] == ["web-shop"]


def test_totals_count_everything_once():
    found = totals([
        standing("a", instances=2, healthy=2), standing("b", "degraded", instances=3),
        standing("c", "stopped", instances=0, healthy=0), standing("d", "deploying"),
    ])  # fmt: skip
    assert (found.apps, found.needs, found.running, found.stopped, found.moving) == (4, 1, 2, 1, 1)
    assert (found.healthy, found.instances, found.unknown) == (4, 6, 0)


def test_what_was_not_observed_is_unknown_and_not_nought():
    found = totals([standing("a"), standing("b", "unknown", healthy=None)])
    assert (found.healthy, found.unknown) == (None, 1)


def test_production_is_named_first():
    assert by_use(["staging", "production", "demo", "demo"]) == ["production", "demo", "staging"]


@pytest.fixture
def apps(ground):
    runtime.use(ground.home, MemoryEngine())
    with ground.writing(ground.ada.id) as uow:
        for number in range(5):
            catalog.add_app(uow, f"app-{number}", team=ground.blue)
        made = catalog.add_app(uow, "secret", team=ground.red)
        catalog.add_environment(uow, made, "hidden")
    return ground.http()


def test_an_overview_comes_a_page_at_a_time(apps):
    first = apps.get("/v1/overview", params={"limit": 4}).json()
    second = apps.get("/v1/overview", params={"limit": 4, "after": first["next"]}).json()
    names = [each["name"] for each in first["items"] + second["items"]]
    assert names == ["app-0", "app-1", "app-2", "app-3", "app-4", "shop"]
    assert second["next"] is None
    assert (first["matched"], first["totals"]["apps"], first["totals"]["stopped"]) == (6, 6, 6)


def test_an_overview_is_of_what_one_may_see_alone(apps):
    found = apps.get("/v1/overview", params={"match": "secret"}).json()
    assert (found["items"], found["matched"], found["environments"]) == ([], 0, ["production"])


def test_an_overview_shows_what_has_changed_since(apps, ground):
    assert apps.get("/v1/overview", params={"match": "app-9"}).json()["items"] == []
    with ground.writing(ground.ada.id) as uow:
        catalog.add_app(uow, "app-9", team=ground.blue)
    assert apps.get("/v1/overview", params={"match": "app-9"}).json()["matched"] == 1


def test_a_cursor_that_is_none_is_refused(apps):
    assert apps.get("/v1/overview", params={"after": "nonsense"}).status_code == 422


def test_requests_that_nobody_told_of_are_unknown(apps):
    shown = apps.get("/v1/overview").json()["items"][0]["environments"][0]
    assert shown["traffic"] is None


def test_a_token_of_one_app_shows_that_app_alone(apps, ground):
    made = apps.post("/v1/tokens", json={"name": "ci", "app": "shop", "role": "viewer"})
    assert made.status_code == 201, made.text
    found = ground.http(made.json()["token"]).get("/v1/overview").json()
    assert [each["name"] for each in found["items"]] == ["shop"]
    assert found["totals"]["apps"] == 1
