"""Hosts and entrances through the API: who may have which, and what the edge is told."""

import pytest
from sqlalchemy import text

from perron import catalog, edge

from .certificates import certificate

PLACE = "/v1/apps/shop/environments/production"


def routing(ground):
    with ground.reading() as uow:
        place = catalog.get_environment(uow, ground.shop, "production")
        return edge.routing_of(uow, place)


def test_an_environment_has_its_own_host_and_those_that_were_added(ground):
    http = ground.http()
    added = http.post(f"{PLACE}/domains", json={"host": "Shop.Example.com"})
    assert (added.status_code, added.json()["host"]) == (201, "shop.example.com")
    shown = http.get(f"{PLACE}/domains").json()["items"]
    assert [(each["host"], each["generated"]) for each in shown] == [
        ("shop.localhost", True),
        ("shop.example.com", False),
    ]
    assert routing(ground).hosts == ["shop.localhost", "shop.example.com"]
    assert http.delete(f"{PLACE}/domains/shop.example.com").status_code == 204
    assert http.delete(f"{PLACE}/domains/shop.example.com").status_code == 404
    assert routing(ground).hosts == ["shop.localhost"]
    assert [e["data"]["host"] for e in ground.events("perron.domain.added.v1")] == [
        "shop.example.com"
    ]
    assert len(ground.events("perron.domain.removed.v1")) == 1


def test_a_host_of_one_team_is_never_given_to_another(ground):
    assert ground.http().post(f"{PLACE}/domains", json={"host": "a.example"}).status_code == 201
    with ground.writing() as uow:
        catalog.add_app(uow, "blog", team=ground.red)
    other = ground.http(ground.person("stranger"))
    there = "/v1/apps/blog/environments/production/domains"
    refused = other.post(there, json={"host": "A.example."})
    assert (refused.status_code, refused.json()["title"] != "") == (409, True)
    assert "shop" not in refused.text
    assert other.post(f"{PLACE}/domains", json={"host": "b.example"}).status_code == 404
    ground.http().delete(f"{PLACE}/domains/a.example")
    assert other.post(there, json={"host": "a.example"}).status_code == 201


def test_a_given_certificate_reaches_the_wish_and_its_key_is_sealed_at_rest(ground):
    pem, key, ends = certificate("shop.example")
    body = {"host": "shop.example", "certificate": pem, "private_key": key}
    shown = ground.http().post(f"{PLACE}/domains", json=body)
    assert shown.status_code == 201
    assert shown.json()["certificate"] == "given"
    assert shown.json()["url"] == "https://shop.example:8443/"
    assert shown.json()["expires"].startswith(ends.isoformat()[:19])
    assert "PRIVATE" not in shown.text
    (given,) = routing(ground).certificates
    assert given.host == "shop.example"
    assert pem.strip() in given.pem
    assert key.strip() in given.pem
    with ground.reading() as uow:
        (sealed,) = uow.connection.execute(text("select sealed from domain")).one()
    assert b"PRIVATE" not in sealed
    assert "PRIVATE" not in str(ground.events("perron.domain.added.v1"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"host": "*.example.com"}, "DomainRefused"),
        ({"host": "x.localhost"}, "DomainRefused"),
        ({"host": "perron.localhost"}, "DomainRefused"),
        ({"host": "a.example", "certificate": "junk"}, "CertificateRefused"),
        ({"host": "a.example", "certificate": "junk", "private_key": "j"}, "CertificateRefused"),
    ],
)
def test_a_refused_domain_says_why_and_leaves_no_trace(ground, body, code):
    refused = ground.http().post(f"{PLACE}/domains", json=body)
    assert refused.status_code == 422
    assert refused.json()["type"] == f"/v1/problems/{code}"
    assert routing(ground).hosts == ["shop.localhost"]


def test_maintenance_protection_and_limits_reach_the_wish(ground):
    http = ground.http()
    assert http.put(f"{PLACE}/maintenance", json={"on": True}).json()["maintenance"] is True
    closed = http.put(f"{PLACE}/protection", json={"user": "lin", "password": "open sesame"})
    assert closed.json()["user"] == "lin"
    assert "sesame" not in closed.text
    http.patch(f"{PLACE}/routing", json={"max_body": 1000, "log_queries": True})
    wish = routing(ground).as_wish()
    assert (wish["maintenance"], wish["user"], wish["max_body"]) == (True, "lin", 1000)
    assert wish["password"].startswith("sha256$")
    assert wish["idle_timeout"] == 60.0
    assert "sesame" not in str(wish) + str(ground.events("perron.protection.changed.v1"))
    http.put(f"{PLACE}/protection", json={})
    assert http.get(f"{PLACE}/routing").json()["user"] is None
    assert http.patch(f"{PLACE}/routing", json={"max_body": -1}).status_code == 422
    assert len(ground.events("perron.protection.changed.v1")) == 2


def test_asking_for_what_is_so_already_records_nothing(ground):
    for _ in range(2):
        ground.http().put(f"{PLACE}/maintenance", json={"on": False})
    assert ground.events("perron.maintenance.changed.v1") == []


def test_what_is_forgotten_is_free_again(ground):
    ground.http().post(f"{PLACE}/domains", json={"host": "a.example"})
    ground.http().put(f"{PLACE}/maintenance", json={"on": True})
    with ground.writing() as uow:
        place = catalog.get_environment(uow, ground.shop, "production")
        edge.forget(uow, place.id)
    assert routing(ground).hosts == ["shop.localhost"]
    assert routing(ground).entrance.maintenance is False
    with ground.reading() as uow:
        assert edge.domains_of_all(uow, [place.id]) == {}
