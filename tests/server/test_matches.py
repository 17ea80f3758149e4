"""Nothing is changed by who saw an older version of it: ETag and If-Match on every update."""

import pytest

from perron import access

BASE = "/v1/apps/shop/environments/production"
UPDATES = {
    "app": ("/v1/apps/shop", "PATCH", "/v1/apps/shop", {"name": "store"}, {"name": "shop"}),
    "config": (
        f"{BASE}/config",
        "PATCH",
        f"{BASE}/config",
        {"set": {"A": {"value": "1"}}},
        {"set": {"A": {"value": "2"}}},
    ),
    "scale": (
        f"{BASE}/scale",
        "PUT",
        f"{BASE}/scale",
        {"processes": {"web": 2}},
        {"processes": {"web": 3}},
    ),
    "routing": (
        f"{BASE}/routing",
        "PATCH",
        f"{BASE}/routing",
        {"max_body": 1 << 20},
        {"max_body": 2 << 20},
    ),
    "maintenance": (f"{BASE}/routing", "PUT", f"{BASE}/maintenance", {"on": True}, {"on": False}),
    "protection": (
        f"{BASE}/routing",
        "PUT",
        f"{BASE}/protection",
        {"user": "a", "password": "a-long-password"},
        {},
    ),
    "team": ("/v1/teams/blue", "PATCH", "/v1/teams/blue", {"name": "navy"}, {"name": "blue"}),
    "role": (
        "/v1/teams/{blue}/members",
        "PATCH",
        "/v1/teams/{blue}/members/{sam}",
        {"role": "viewer"},
        {"role": "owner"},
    ),
    "administrator": (
        "/v1/people/{sam}",
        "PATCH",
        "/v1/people/{sam}",
        {"administrator": True},
        {"administrator": False},
    ),
    "me": ("/v1/me", "PATCH", "/v1/me", {"name": "Ada L."}, {"name": "Ada"}),
    "quotas": (
        "/v1/teams/{blue}/quotas",
        "PATCH",
        "/v1/teams/{blue}/quotas",
        {"apps": 7},
        {"apps": 8},
    ),
}


@pytest.fixture
def sam(ground):
    with ground.writing() as uow:
        someone = access.add_person(uow, "Sam")
        access.join(uow, someone, team=ground.blue, role="developer")
        return someone.id


@pytest.mark.parametrize("what", UPDATES)
def test_an_update_is_refused_when_what_was_seen_has_changed(ground, sam, what):
    shown, method, path, first, second = UPDATES[what]
    shown, path = (each.format(blue=ground.blue, sam=sam) for each in (shown, path))
    http = ground.http() if what == "me" else ground.http(ground.root)
    seen = {"If-Match": http.get(shown).headers["etag"]}
    done = http.request(method, path, json=first, headers=seen)
    assert done.status_code in (200, 202), done.text
    shown, path = (
        each.replace("apps/shop", f"apps/{ground.shop.id}").replace("s/blue", f"s/{ground.blue}")
        for each in (shown, path)
    )
    stale = http.request(method, path, json=second, headers=seen)
    assert (stale.status_code, stale.json()["type"]) == (412, "/v1/problems/Changed")
    assert plain(stale.json()["now"]) == plain(http.get(shown).json())
    fresh = {"If-Match": done.headers["etag"]}
    assert http.request(method, path, json=second, headers=fresh).status_code in (200, 202)
    assert http.request(method, path, json=first).status_code in (200, 202)


def plain(shown):
    """What is shown of it, but for what an app's page is told by the machine."""
    return {**shown, "environments": None} if isinstance(shown, dict) else shown
