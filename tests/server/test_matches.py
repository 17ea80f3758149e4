"""Nothing is changed by who saw an older version of it: ETag and If-Match on every update."""

import pytest

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
}


@pytest.mark.parametrize("what", UPDATES)
def test_an_update_is_refused_when_what_was_seen_has_changed(ground, what):
    shown, method, path, first, second = UPDATES[what]
    http = ground.http()
    seen = {"If-Match": http.get(shown).headers["etag"]}
    done = http.request(method, path, json=first, headers=seen)
    assert done.status_code in (200, 202), done.text
    path = path.replace("apps/shop", f"apps/{ground.shop.id}")
    stale = http.request(method, path, json=second, headers=seen)
    assert (stale.status_code, stale.json()["type"]) == (412, "/v1/problems/Changed")
    fresh = {"If-Match": done.headers["etag"]}
    assert http.request(method, path, json=second, headers=fresh).status_code in (200, 202)
    assert http.request(method, path, json=first).status_code in (200, 202)
