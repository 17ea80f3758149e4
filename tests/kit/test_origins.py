"""Where a request came from: what is believed, and what is left when it is erased."""

import pytest
from sqlalchemy import select

from perron.kit import origins, spine
from perron.kit.callers import Caller, caller_of


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, "local"),
        ({"x-forwarded-for": "203.0.113.7"}, "203.0.113.7"),
        ({"x-forwarded-for": "10.0.0.1, 2001:DB8::1"}, "2001:db8::1"),
        ({"x-forwarded-for": "a\x00b"}, "unknown"),
    ],
)
def test_the_address_is_the_one_the_edge_saw(headers, address):
    assert caller_of(headers).address == address


def test_what_a_client_calls_itself_is_bounded_and_plain():
    told = caller_of({"user-agent": "evil\n\x1b[31m" + "x" * 5000}).client
    assert told.startswith("evil[31mxxx")
    assert len(told) == 200


def test_an_event_names_where_it_came_from_once(ground):
    http = ground.http(**{"X-Forwarded-For": "203.0.113.7", "User-Agent": "curl/8"})
    http.post("/v1/apps", json={"name": "blog"})
    http.post("/v1/apps", json={"name": "press"})
    (one, two) = ground.events("perron.app.added.v1")[-2:]
    assert one["origin"] == two["origin"]
    with ground.reading() as uow:
        assert origins.callers_of(uow, [one["origin"]]) == {
            one["origin"]: Caller("203.0.113.7", "curl/8")
        }


def test_what_is_refused_is_written_down_with_its_origin(ground):
    http = ground.http(ground.person("viewer"), **{"X-Forwarded-For": "203.0.113.9"})
    assert http.patch("/v1/apps/shop", json={"name": "other"}).status_code == 403
    assert ground.events("perron.permission.refused.v1")[-1]["origin"]


def test_a_changed_origin_is_found_and_an_erased_one_is_just_gone(ground):
    http = ground.http(**{"X-Forwarded-For": "203.0.113.7"})
    http.post("/v1/apps", json={"name": "blog"})
    id = ground.events("perron.app.added.v1")[-1]["origin"]
    with ground.writing() as uow:
        uow.connection.execute(origins.origins.update().values(address="198.51.100.1"))
        assert origins.changed(uow) == [id]
        assert origins.erase(uow, "198.51.100.1") == 1
    with ground.reading() as uow:
        assert origins.changed(uow) == []
        assert origins.callers_of(uow, [id]) == {}
        assert uow.connection.execute(select(spine.events.c.origin)).scalars().all()[-1] == id
