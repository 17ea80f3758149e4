"""The HTTP door: bad requests are told what to do, good ones are answered with an operation."""

import pytest

from perron import runtime
from perron.releases import stop, store
from perron.releases.model.release import NothingChanged
from perron.runtime.engines.memory import MemoryEngine

BASE = "/v1/apps/shop/environments/production"


@pytest.fixture
def http(ground):
    runtime.use(ground.home, MemoryEngine(ground.home))
    return ground.http()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"source": "a", "from_release": 1}, 422),
        ({"source": "nope"}, 404),
        ({"source": "../../etc/passwd"}, 404),
        ({"from_release": 7}, 404),
        ({"from_release": 1, "from_environment": "nowhere"}, 404),
        ({"source": "a", "from_environment": "staging"}, 422),
        ({"source": "a", "colour": "blue"}, 422),
        ({"source": 7}, 422),
        ({"from_release": 10**30}, 422),
        ({"from_release": 0}, 422),
    ],
)
def test_a_deploy_that_says_too_little_or_too_much_is_refused(http, body, status):
    answer = http.post(f"{BASE}/releases", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("verb", ["rollback", "restart", "stop", "start", "cancel"])
def test_where_nothing_is_live_there_is_nothing_to_do(http, verb):
    answer = http.post(f"{BASE}/{verb}", json={} if verb == "rollback" else None)
    assert answer.status_code == 409
    assert answer.json()["detail"]


@pytest.mark.parametrize("counts", [{}, {"web": -1}, {"web": 1001}, {"web": "many"}, {"web": 1.5}])
def test_absurd_scales_are_refused(http, counts):
    assert http.put(f"{BASE}/scale", json={"processes": counts}).status_code == 422


def test_scale_can_be_said_before_anything_is_live(http):
    answer = http.put(f"{BASE}/scale", json={"processes": {"web": 3}})
    assert answer.json() == {"processes": {"web": 3}, "operation": None}
    assert http.get(f"{BASE}/scale").json()["processes"] == {"web": 3}


def test_configuration_is_changed_only_by_who_saw_it(http):
    seen = http.get(f"{BASE}/config")
    change = {"set": {"A": {"value": "1"}}}
    tagged = {"If-Match": seen.headers["etag"]}
    assert http.patch(f"{BASE}/config", json=change, headers=tagged).status_code == 200
    stale = http.patch(f"{BASE}/config", json=change, headers=tagged)
    assert stale.status_code == 412
    assert http.get(f"{BASE}/config").json()["entries"][0]["value"] == "••••"


def test_reading_the_configuration_is_written_down_once_an_hour(http, ground):
    for _ in range(3):
        http.get(f"{BASE}/config")
    assert len(ground.events("perron.config.read.v1")) == 1


def test_a_value_is_revealed_only_on_purpose_and_to_who_may_see_it(http, ground):
    http.patch(f"{BASE}/config", json={"set": {"A": {"value": "hunter2"}}})
    assert http.post(f"{BASE}/config/A/reveal").json() == {"name": "A", "value": "hunter2"}
    assert http.post(f"{BASE}/config/B/reveal").status_code == 404
    viewer = ground.http(ground.person("viewer"))
    assert viewer.post(f"{BASE}/config/A/reveal").status_code == 403


def test_destroying_answers_with_the_same_operation_twice_and_takes_no_new_work(http):
    first = http.delete("/v1/apps/shop")
    assert first.status_code == 202
    assert http.delete("/v1/apps/shop").json() == first.json()
    assert http.put(f"{BASE}/scale", json={"processes": {"web": 1}}).status_code == 409
    assert http.get("/v1/apps/shop").json()["environments"][0]["state"] == "destroying"


def test_a_run_needs_something_live(http):
    answer = http.post(f"{BASE}/runs", json={"argv": ["sh"]})
    assert answer.status_code == 409
    assert http.get(f"{BASE}/runs/run_1").status_code == 404


def test_a_session_without_a_token_is_refused(http, ground):
    from starlette.testclient import WebSocketDenialResponse

    stranger = ground.http("nobody")
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        stranger.websocket_connect(f"{BASE}/instances/web.1/exec?arg=sh"),
    ):
        pass
    assert refused.value.status_code == 401


def test_what_is_live_already_is_released_again_only_by_force(platform):
    source = platform.source()
    live = platform.deploy(source, force=False)
    with pytest.raises(NothingChanged) as same:
        platform.ask(source, force=False)
    assert (same.value.status, same.value.facts["release"]) == (409, live.number)
    assert same.value.facts["url"].startswith("http://shop.")
    assert platform.deploy(source).number == 2


def test_another_configuration_or_root_or_a_stop_makes_a_release_of_the_same_source(platform):
    source = platform.source()
    platform.deploy(source, force=False)
    platform.finish(platform.set_config(A="1"))
    with pytest.raises(NothingChanged):
        platform.ask(source, force=False)
    with platform.writing() as uow:
        stop(uow, platform.production)
    assert platform.deploy(source, force=False).number == 3


def test_a_deploy_of_what_is_live_wins_over_another_on_its_way(still):
    source = still.source()
    first = still.ask(source)
    with still.writing() as uow:
        store.change(uow, first.id, state="live")
    still.ask(still.source({"words.txt": "other\n"}))
    assert still.ask(source, force=False).number == 3
