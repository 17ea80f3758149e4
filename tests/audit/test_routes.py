"""Reading the trail: who sees what, from where it was done, and that reading is seen."""


def entries(http, **query):
    answer = http.get("/v1/audit", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_an_entry_says_who_did_what_when_and_from_where(ground):
    http = ground.http(**{"X-Forwarded-For": "203.0.113.7", "User-Agent": "curl/8"})
    http.patch("/v1/apps/shop", json={"name": "store"})
    entry = entries(http, type="app.renamed")[0]
    assert entry["actor"] == {"id": ground.ada.id, "name": "Ada", "kind": "person"}
    assert entry["from"] == {"address": "203.0.113.7", "client": "curl/8"}
    assert (entry["before"], entry["after"]) == ("shop", "store")
    assert entry["app"] == {"id": ground.shop.id, "name": "store"}
    assert entry["team"] == {"id": ground.blue, "name": "blue"}


def test_an_owner_sees_their_team_and_an_administrator_everything(ground):
    stranger = ground.http(ground.person("stranger"))
    assert {each["team"]["id"] for each in entries(ground.http())} == {ground.blue}
    assert ground.blue not in {each["team"]["id"] for each in entries(stranger)}
    everything = entries(ground.http(ground.root), limit=500)
    assert {each["team"]["id"] if each["team"] else None for each in everything} >= {
        ground.blue,
        ground.red,
        None,
    }


def test_whoever_owns_no_team_sees_nothing(ground):
    assert entries(ground.http(ground.person("developer"))) == []


def test_another_teams_trail_is_not_found(ground):
    for team in ("red", ground.red, "nowhere"):
        assert ground.http().get("/v1/audit", params={"team": team}).status_code == 404
    found = entries(ground.http(ground.root), team="red")
    assert {each["team"]["id"] for each in found} == {ground.red}


def test_the_trail_is_filtered_by_app_actor_type_and_time(ground):
    http = ground.http()
    http.post("/v1/apps", json={"name": "blog"})
    http.patch("/v1/apps/blog", json={"name": "press"})
    assert {each["type"] for each in entries(http, app="press")} == {
        "perron.app.added.v1",
        "perron.app.renamed.v1",
        "perron.environment.added.v1",
    }
    assert entries(http, app="blog") == []
    mine = entries(http, actor="me")
    assert all(each["actor"]["id"] == ground.ada.id for each in mine)
    assert {each["id"] for each in mine} <= {each["id"] for each in entries(http, actor="ada")}
    assert entries(http, actor=ground.ada.id)[0]["actor"]["id"] == ground.ada.id
    assert entries(http, actor="nobody-here") == []
    assert {each["type"] for each in entries(http, type="app.")} == {
        "perron.app.added.v1",
        "perron.app.renamed.v1",
    }
    newest = entries(http)[0]["recorded"]
    assert entries(http, until=newest, since=newest) == []
    assert entries(http, since=newest)[-1]["recorded"] == newest


def test_a_moment_without_its_zone_is_refused(ground):
    for wrong in ("2026-11-21T10:00:00", "yesterday", "0001-01-01T00:00:00+14:00"):
        answer = ground.http().get("/v1/audit", params={"since": wrong})
        assert answer.status_code == 422, wrong


def test_pages_follow_each_other_without_gap_or_repeat(ground):
    http = ground.http()
    for number in range(5):
        http.post("/v1/apps", json={"name": f"app{number}"})
    everything = [each["position"] for each in entries(http, limit=500)]
    found, after = [], None
    while True:
        page = http.get("/v1/audit", params={"limit": 3, **({"after": after} if after else {})})
        found += [each["position"] for each in page.json()["items"]]
        after = page.json()["next"]
        if after is None:
            break
    assert [each for each in found if each <= everything[0]] == everything


def test_the_app_of_an_event_keeps_its_name_when_it_is_gone(ground):
    from perron import catalog

    with ground.writing() as uow:
        app = catalog.add_app(uow, "blog", team=ground.blue)
        catalog.remove_app(uow, app)
    found = entries(ground.http(), app="blog")
    assert {each["app"]["name"] for each in found} == {"blog"}


def test_no_value_of_a_configuration_is_in_the_trail(ground):
    http = ground.http()
    place = "/v1/apps/shop/environments/production"
    body = {"set": {"TOKEN": {"value": "hunter2-is-secret"}}}
    assert http.patch(f"{place}/config", json=body).status_code == 200
    assert "hunter2-is-secret" not in http.get("/v1/audit").text
    assert entries(http, type="config")[0]["data"]["set"] == ["TOKEN"]


def test_looking_at_the_trail_is_in_the_trail_once_an_hour(ground):
    http = ground.http()
    entries(http)
    entries(http)
    assert len(ground.events("perron.audit.read.v1")) == 1


def test_everybody_may_keep_the_head_and_only_administrators_verify(ground):
    viewer = ground.http(ground.person("viewer"))
    assert viewer.get("/v1/audit/head").status_code == 200
    assert viewer.post("/v1/audit/verify").status_code == 403
    assert ground.http().post("/v1/audit/restart", json={"why": "No."}).status_code == 403
    assert ground.http(ground.root).post("/v1/audit/verify").json()["answer"] == "unknown"
