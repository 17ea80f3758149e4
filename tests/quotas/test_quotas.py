"""What a team may have, over the API: shown, changed, and refused before anything is made."""

from datetime import timedelta

import pytest

from perron import quotas
from perron.kit import clock

PLACE = "/v1/apps/shop/environments/production"


@pytest.fixture
def limit(ground):
    root = ground.http(ground.root)

    def limit(**bounds):
        answer = root.patch("/v1/teams/blue/quotas", json=bounds)
        assert answer.status_code == 200, answer.text
        return answer

    return limit


def shown(ground):
    found = ground.http().get("/v1/teams/blue/quotas").json()["quotas"]
    return {each["name"]: each for each in found}


def refused(answer, quota):
    assert answer.status_code == 409, answer.text
    told = answer.json()
    assert told["type"] == "/v1/problems/QuotaExceeded"
    assert told["quota"] == quota
    assert "An administrator can raise it" in told["detail"]
    return told


def test_every_bound_is_shown_with_what_is_used(ground):
    found = shown(ground)
    assert found["apps"] | {"limit": 0} == {
        "name": "apps", "limit": 0, "used": 1, "default": 2000, "unit": "", "is_default": True,
    }  # fmt: skip
    assert found["build_minutes_day"]["used"] == 0
    assert found["disk"]["used"] == 0


def test_what_nobody_measures_is_unknown_and_not_nothing(ground):
    quotas.use({})
    assert shown(ground)["apps"]["used"] is None


def test_an_app_too_many_is_refused_and_leaves_no_trace(ground, limit):
    limit(apps=2)
    assert ground.http().post("/v1/apps", json={"name": "one"}).status_code == 201
    told = refused(ground.http().post("/v1/apps", json={"name": "two"}), "apps")
    assert (told["used"], told["asked"], told["limit"], told["team"]) == (2, 1, 2, "blue")
    assert ground.http().get("/v1/apps/two").status_code == 404


def test_an_environment_too_many_is_refused(ground, limit):
    limit(environments=1)
    answer = ground.http().post("/v1/apps/shop/environments", json={"name": "staging"})
    refused(answer, "environments")


def test_a_volume_that_does_not_fit_is_refused(ground, limit):
    limit(disk=1 << 30)
    body = {"name": "data", "mount": "/data", "size": 3 << 29}
    refused(ground.http().post(f"{PLACE}/volumes", json=body), "disk")
    body["size"] = 1 << 30
    assert ground.http().post(f"{PLACE}/volumes", json=body).status_code == 201
    assert shown(ground)["disk"]["used"] == 1 << 30


def test_an_upload_that_does_not_fit_is_refused_before_it_is_taken(ground, limit):
    limit(disk=1000)
    answer = ground.http().put("/v1/apps/shop/sources", content=b"x" * 2000)
    refused(answer, "disk")
    assert list(ground.home.sources.glob("*")) == []


def test_a_bound_goes_back_to_its_default(ground, limit):
    limit(apps=7, cpu=1.5)
    assert shown(ground)["cpu"]["limit"] == 1.5
    limit(apps=None)
    assert shown(ground)["apps"]["is_default"]
    assert shown(ground)["cpu"]["limit"] == 1.5


def test_changing_bounds_is_told_with_before_and_after(ground, limit):
    limit(apps=7)
    limit(apps=7)
    (told,) = ground.events("perron.quotas.changed.v1")
    assert told["data"]["after"] == {"apps": 7}
    assert list(told["data"]["before"]) == ["apps"]


def test_two_administrators_do_not_overwrite_each_other(ground, limit):
    root = ground.http(ground.root)
    tag = root.get("/v1/teams/blue/quotas").headers["etag"]
    limit(apps=7)
    late = root.patch("/v1/teams/blue/quotas", json={"apps": 9}, headers={"If-Match": tag})
    assert late.status_code == 412


@pytest.mark.parametrize(
    "body", [{"apps": -1}, {"apps": 1e16}, {"apps": "many"}, {"colours": 1}, {"cpu": "NaN"}]
)
def test_odd_bounds_are_refused(ground, body):
    answer = ground.http(ground.root).patch("/v1/teams/blue/quotas", json=body)
    assert answer.status_code == 422


def test_only_administrators_change_bounds_and_strangers_see_none(ground):
    assert ground.http().patch("/v1/teams/blue/quotas", json={"apps": 9}).status_code == 403
    stranger = ground.http(ground.person("stranger"))
    assert stranger.get("/v1/teams/blue/quotas").status_code == 404
    assert ground.http().get("/v1/teams/nowhere/quotas").status_code == 404
    viewer = ground.http(ground.person("viewer"))
    assert viewer.get(f"/v1/teams/{ground.blue}/quotas").status_code == 200


def test_build_minutes_count_while_a_build_runs_and_no_further(ground, limit):
    now = clock.now()
    with ground.writing() as uow:
        quotas.begin_build(uow, ground.blue, "build-1", now - timedelta(minutes=10))
        quotas.end_build(uow, "build-1", now - timedelta(minutes=4))
        quotas.end_build(uow, "build-1", now)
        quotas.begin_build(uow, ground.blue, "build-2", now - timedelta(minutes=2))
    used = shown(ground)["build_minutes_month"]["used"]
    assert used == pytest.approx(8.0, abs=0.2) or now.day == 1
    limit(build_minutes_month=5)
    with ground.reading() as uow, pytest.raises(quotas.QuotaExceeded):
        quotas.check_building(uow, ground.blue)


def test_holding_less_is_always_allowed(ground, limit):
    with ground.writing() as uow:
        quotas.hold(uow, ground.blue, "env_1", {"instances": 6.0})
    limit(instances=2)
    with ground.writing() as uow:
        quotas.check_hold(uow, ground.blue, "env_1", {"instances": 5.0})
        with pytest.raises(quotas.QuotaExceeded):
            quotas.check_hold(uow, ground.blue, "env_1", {"instances": 7.0})
        quotas.let_go(uow, "env_1")
        quotas.check_hold(uow, ground.blue, "env_1", {"instances": 2.0})


def test_what_moves_to_another_team_must_fit_there(ground):
    with ground.writing() as uow:
        quotas.hold(uow, ground.blue, "env_1", {"instances": 6.0, "memory": 1.0})
    ground.http(ground.root).patch("/v1/teams/red/quotas", json={"instances": 5})
    with ground.writing() as uow, pytest.raises(quotas.QuotaExceeded):
        quotas.move(uow, ["env_1"], to=ground.red)
    ground.http(ground.root).patch("/v1/teams/red/quotas", json={"instances": 6})
    with ground.writing() as uow:
        quotas.move(uow, ["env_1"], to=ground.red)
    assert shown(ground)["instances"]["used"] == 0


def test_an_app_moves_only_to_a_team_that_may_have_it(ground):
    http, root = ground.http(), ground.http(ground.root)
    token = ground.person("owner", team=ground.red, name="Rita")
    assert http.post("/v1/apps/shop/transfer", json={"team": "red"}).status_code < 300
    root.patch("/v1/teams/red/quotas", json={"apps": 0})
    refused(ground.http(token).post("/v1/apps/shop/transfer/accept"), "apps")
    root.patch("/v1/teams/red/quotas", json={"apps": 1})
    assert ground.http(token).post("/v1/apps/shop/transfer/accept").status_code < 300
    assert shown(ground)["apps"]["used"] == 0
