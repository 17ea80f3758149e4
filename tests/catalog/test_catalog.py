"""Apps, environments and their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron import catalog
from perron.access import Actor, store
from perron.catalog.model import RESERVED, check_name, host_name

WRONG = [
    "Shop",
    "s",
    "shop--x",
    "7up",
    "a" * 30,
    "-shop",
    "shop-",
    "shöp",
    "sh op",
    "",
    "a\n",
    "../x",
]


@given(st.from_regex(r"[a-z][a-z0-9-]{0,27}[a-z0-9]", fullmatch=True))
def test_every_name_that_is_taken_makes_a_host_label_that_fits(name):
    try:
        check_name(name, of="environment")
    except catalog.NameRefused:
        assert "--" in name
        return
    label = host_name(name, name, "localhost").removesuffix(".localhost")
    assert len(label) <= 63
    assert label.split("--") == [name, name]


@pytest.mark.parametrize("name", [*WRONG, *sorted(RESERVED)])
def test_a_name_that_cannot_be_is_refused_and_says_what_can(ground, name):
    answer = ground.http().post("/v1/apps", json={"name": name})
    assert answer.status_code == 422
    assert answer.json()["type"] == "/v1/problems/NameRefused"
    assert "choose another" in answer.text or "2 to 29 of a-z" in answer.text


@pytest.mark.parametrize("name", WRONG)
def test_an_environment_has_the_same_rules(ground, name):
    answer = ground.http().post("/v1/apps/shop/environments", json={"name": name})
    assert answer.status_code == 422


def test_an_app_has_production_from_the_start(ground):
    made = ground.http().post("/v1/apps", json={"name": "blog"})
    assert (made.status_code, made.json()["team"]) == (201, "blue")
    assert [each["name"] for each in made.json()["environments"]] == ["production"]
    events = ground.events("perron.app.added.v1")
    assert (events[-1]["data"], events[-1]["actor"]) == ({"name": "blog"}, ground.ada.id)


def test_making_an_app_again_is_harmless_in_its_team_and_refused_elsewhere(ground):
    again = ground.http().post("/v1/apps", json={"name": "shop"})
    assert (again.status_code, again.json()["id"]) == (200, ground.shop.id)
    elsewhere = ground.http(ground.person("stranger")).post("/v1/apps", json={"name": "shop"})
    assert elsewhere.status_code == 409
    assert (
        elsewhere.json()["detail"] == "The name 'shop' is taken; choose another one for your app."
    )
    assert ground.blue not in elsewhere.text


def test_whoever_could_make_it_for_several_teams_names_one(ground):
    root = ground.http(ground.root)
    assert root.post("/v1/apps", json={"name": "one"}).json()["team"] == "main"
    assert root.post("/v1/apps", json={"name": "two", "team": "red"}).json()["team"] == "red"
    assert root.post("/v1/apps", json={"name": "six", "team": "no"}).status_code == 404
    nobody = ground.http(ground.person("administrator")).post("/v1/apps", json={"name": "three"})
    assert (nobody.status_code, "main, blue, red" in nobody.text) == (409, True)
    assert (
        ground.http(ground.person(None)).post("/v1/apps", json={"name": "four"}).status_code == 403
    )
    viewer = ground.http(ground.person("viewer")).post("/v1/apps", json={"name": "five"})
    assert (viewer.status_code, "as viewer" in viewer.text) == (403, True)


def test_a_renamed_app_keeps_its_id_and_frees_its_name(ground):
    renamed = ground.http().patch("/v1/apps/shop", json={"name": "store"}).json()
    assert (renamed["id"], renamed["name"]) == (ground.shop.id, "store")
    assert ground.http().patch("/v1/apps/shop", json={"name": "x1"}).status_code == 404
    by_id = ground.http().patch(f"/v1/apps/{ground.shop.id}", json={"name": "store"})
    assert by_id.status_code == 200
    assert ground.http().post("/v1/apps", json={"name": "shop"}).status_code == 201
    taken = ground.http().patch("/v1/apps/shop", json={"name": "store"})
    assert taken.status_code == 409
    assert [each["data"] for each in ground.events("perron.app.renamed.v1")] == [
        {"before": "shop", "name": "store"}
    ]


def test_an_environment_is_made_once(ground):
    made = ground.http().post("/v1/apps/shop/environments", json={"name": "staging"})
    again = ground.http().post("/v1/apps/shop/environments", json={"name": "staging"})
    assert (made.status_code, again.status_code) == (201, 409)
    with ground.reading() as uow:
        found = catalog.get_environment(uow, ground.shop, "staging")
        assert catalog.host_of(uow, found, "localhost") == "shop--staging.localhost"
        production = catalog.get_environment(uow, ground.shop, "production")
        assert catalog.host_of(uow, production, "localhost") == "shop.localhost"
        with pytest.raises(catalog.EnvironmentNotFound, match="it has: production, staging"):
            catalog.get_environment(uow, ground.shop, "nowhere")


def test_what_is_being_destroyed_takes_no_new_work_and_can_be_looked_at(ground):
    with ground.writing() as uow:
        catalog.mark_destroying(uow, ground.shop)
    assert ground.http().post("/v1/apps/shop/environments", json={"name": "x1"}).status_code == 409
    assert ground.http().patch("/v1/apps/shop", json={"name": "x1"}).status_code == 409
    assert ground.http().post("/v1/apps", json={"name": "shop"}).status_code == 409
    with ground.reading() as uow:
        assert catalog.enter(uow, ground.ada, "shop", "production", "release.read")
        with pytest.raises(catalog.BeingDestroyed):
            catalog.enter(uow, ground.ada, "shop", "production", "release.create")


def test_a_removed_app_leaves_its_events_and_frees_its_name(ground):
    with ground.writing(ground.ada.id) as uow:
        catalog.remove_app(uow, ground.shop)
    assert [each["subject"] for each in ground.events("perron.app.removed.v1")] == [ground.shop.id]
    assert len(ground.events("perron.environment.removed.v1")) == 1
    assert ground.http().post("/v1/apps", json={"name": "shop"}).json()["id"] != ground.shop.id


def test_apps_are_listed_by_name_a_page_at_a_time_and_only_those_one_may_see(ground):
    with ground.writing() as uow:
        for name in ("b1", "c1", "a1"):
            catalog.add_app(uow, name, team=ground.red)
        red = catalog.list_apps(uow, ground.ada)
        assert [app.name for app in red] == ["shop"]
        root = Actor(store.people.first_administrator(uow).id)
        first = catalog.list_apps(uow, root, limit=2)
        rest = catalog.list_apps(uow, root, after=first[-1].name)
        assert [app.name for app in (*first, *rest)] == ["a1", "b1", "c1", "shop"]
        found = catalog.environments_of_all(uow, first)
        assert {len(each) for each in found.values()} == {1}
