"""Every route is found, and what it answers is what its model says, to the byte."""

import re

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from perron import catalog, runtime
from perron.kit.answers import Route
from perron.runtime.engines.memory import MemoryEngine

PLACE = "/v1/apps/shop/environments/production"
LISTS = ["/v1/apps", "/v1/overview", "/v1/apps/shop", "/v1/apps/shop/environments", PLACE,
         "/v1/apps/shop/activity", f"{PLACE}/releases", f"{PLACE}/config", f"{PLACE}/domains",
         f"{PLACE}/volumes", "/v1/teams", "/v1/me", "/v1/tokens", "/v1/sessions",
         "/v1/teams/blue/members", "/v1/teams/blue/invitations", "/v1/operations",
         "/v1/problems/AppNotFound", "/v1/platform"]  # fmt: skip


def filled(path: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "x", path)


def test_every_route_is_found_where_it_says(shared_ground):
    doors = shared_ground.app.router
    routes = [each for each in doors.routes if isinstance(each, APIRoute)]
    assert len(routes) > 100
    for route in routes:
        assert isinstance(route, Route), route.path
        for method in route.methods:
            scope = {"type": "http", "path": filled(route.path), "method": method}
            first = next(each for each in routes if each.matches(dict(scope))[0].value == 2)
            assert doors._found(dict(scope)) is first, route.path


def test_an_address_is_refused_as_ever(ground):
    http = ground.http()
    assert http.get("/v1/apps/", follow_redirects=False).headers["location"].endswith("/v1/apps")
    assert http.get("/v1/apps/shop/none").status_code == 404
    assert http.get("/v1").status_code == 404
    assert http.delete("/v1/apps").status_code == 405
    assert set(http.delete("/v1/apps").headers["allow"].split(", ")) <= {"GET", "POST"}
    assert http.get("/v1/openapi.json").status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_an_answer_is_to_the_byte_what_its_model_says(ground, path):
    runtime.use(ground.home, MemoryEngine())
    with ground.writing(ground.ada.id) as uow:
        catalog.add_app(uow, "second", team=ground.blue)
    answer = ground.http().get(path)
    assert answer.status_code == 200, answer.text
    route = ground.app.router._found({"type": "http", "path": path, "method": "GET"})
    model = TypeAdapter(route.response_model)
    assert model.dump_json(model.validate_json(answer.content), by_alias=True) == answer.content
    assert answer.headers["content-type"] == "application/json"


def test_a_stranger_is_asked_who_they_are_before_what_they_want(ground):
    for token in ("", "none"):
        asked = ground.http(token)
        assert asked.get("/v1/apps", params={"limit": "many"}).status_code == 401
        assert asked.post("/v1/apps", json={"nam": 1}).status_code == 401
    assert ground.http().get("/v1/apps", params={"limit": "many"}).status_code == 422


def test_what_a_route_sets_comes_with_its_answer(ground):
    http = ground.http()
    assert http.get("/v1/apps/shop").headers["etag"]
    assert http.post("/v1/apps", json={"name": "more"}).status_code == 201
    assert http.post("/v1/apps", json={"name": "more"}).status_code == 200


def test_an_answer_that_cannot_be_written_leaves_no_trace(ground, monkeypatch, caplog):
    from perron.catalog.routes import apps

    monkeypatch.setattr(apps, "_shown", lambda *_: {"id": 1})
    assert ground.http().post("/v1/apps", json={"name": "more"}).status_code == 500
    monkeypatch.undo()
    assert ground.http().get("/v1/apps/more").status_code == 404
