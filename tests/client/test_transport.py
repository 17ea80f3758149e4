import json
import threading
import time

import pytest

from perron.client import Client, Place, Refused, Unreachable, verbs

from .conftest import answer

PROBLEM = "application/problem+json"


def client_of(script, **more):
    told = []
    made = Client(f"unix://{script.path}", "good", tell=told.append, **more)
    return made, told


def test_a_connection_is_kept_for_the_next_call(script):
    script.answers = [answer(), answer()]
    client, _ = client_of(script)
    client.get("/v1/me")
    client.get("/v1/me")
    assert len(script._open) == 1
    assert script.heard[0][2]["authorization"] == "Bearer good"


def test_a_call_on_a_connection_that_went_stale_is_repeated_without_a_word(script):
    script.answers = [answer(), None, answer(body=b'{"a": 1}')]
    client, told = client_of(script)
    client.get("/v1/me")
    assert client.get("/v1/me") == {"a": 1}
    assert told == []


def test_a_killed_server_gets_the_same_call_with_the_same_key(script):
    script.answers = [None, answer(502, b"<h1>gone</h1>", "text/html"), answer(201, b'{"n": 1}')]
    client, told = client_of(script)
    assert client.send("POST", "/v1/apps", {"name": "shop"}) == {"n": 1}
    keys = {heard[2]["idempotency-key"] for heard in script.heard}
    assert len(script.heard) == 3
    assert len(keys) == 1
    assert {heard[3] for heard in script.heard} == {b'{"name": "shop"}'}
    assert told == ["The server went away; trying again.", "The server is back."]


def test_each_call_has_a_key_of_its_own(script):
    script.answers = [answer(), answer()]
    client, _ = client_of(script)
    client.send("POST", "/v1/apps", {})
    client.send("POST", "/v1/apps", {})
    assert len({heard[2]["idempotency-key"] for heard in script.heard}) == 2


def test_a_server_that_was_killed_and_started_again_is_waited_for(script):
    script.stop()
    client, told = client_of(script)
    back = threading.Timer(0.6, lambda: (script.answers.append(answer()), script.start()))
    back.start()
    client.send("POST", "/v1/apps", {})
    back.join()
    assert told == ["The server went away; trying again.", "The server is back."]


def test_an_upload_is_sent_whole_each_time(script, tmp_path):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(b"x" * 300_000)
    script.answers = [None, answer(body=b'{"digest": "d", "size": 1, "files": 1}')]
    client, _ = client_of(script)
    verbs.send_source(client, "shop", archive)
    assert [len(heard[3]) for heard in script.heard] == [300_000, 300_000]
    assert script.heard[0][2]["content-type"] == "application/gzip"


def test_where_nobody_ever_was_two_seconds_must_do(tmp_path):
    began = time.monotonic()
    client = Client(f"unix://{tmp_path}/none.sock", nobody=0.3)
    with pytest.raises(Unreachable, match="there is no socket"):
        client.get("/v1/me")
    assert time.monotonic() - began < 5


def test_a_platform_that_stays_away_is_given_up_on(script):
    script.answers = [answer()]
    client, _ = client_of(script, gone=0.4)
    client.get("/v1/me")
    script.stop()
    with pytest.raises(Unreachable, match="Apps keep serving"):
        client.get("/v1/me")


def test_a_refusal_carries_what_the_problem_says(script):
    body = json.dumps(
        {"type": "/v1/problems/NameTaken", "title": "NameTaken", "status": 409,
         "detail": "shop is taken.", "name": "shop"}
    ).encode()  # fmt: skip
    script.answers = [answer(409, body, PROBLEM, x_request_id="r1")]
    client, _ = client_of(script)
    with pytest.raises(Refused) as why:
        verbs.create_app(client, "shop")
    assert (why.value.status, why.value.code, why.value.request) == (409, "NameTaken", "r1")
    assert why.value.facts == {"name": "shop"}


def test_the_servers_own_503_is_told_and_not_repeated(script):
    body = json.dumps({"type": "/v1/problems/AgentAway", "detail": "The agent is away."}).encode()
    script.answers = [answer(503, body, PROBLEM)]
    client, _ = client_of(script)
    with pytest.raises(Refused, match="The agent is away"):
        client.get("/v1/me")
    assert len(script.heard) == 1


def test_pages_are_followed_to_the_end(script):
    first = json.dumps({"items": [{"n": 1}], "next": "c&1"}).encode()
    script.answers = [answer(body=first), answer(body=b'{"items": [{"n": 2}], "next": null}')]
    client, _ = client_of(script)
    assert [each["n"] for each in verbs.instances(client, Place("shop"))] == [1, 2]
    assert script.heard[1][1].endswith("?after=c%261")


def test_a_name_cannot_leave_its_place_in_an_address(script):
    script.answers = [answer()]
    client, _ = client_of(script)
    verbs.app(client, "../me?x=1#y")
    assert script.heard[0][1] == "/v1/apps/..%2Fme%3Fx%3D1%23y"


def test_a_busy_server_is_asked_again_and_quoted_when_time_is_up(script):
    body = json.dumps({"type": "/v1/problems/Busy", "detail": "Locked by pid 7."}).encode()
    busy = answer(503, body, PROBLEM, retry_after="1")
    script.answers = [busy, busy, answer(body=b'{"a": 1}')]
    client, told = client_of(script)
    assert client.get("/v1/me") == {"a": 1}
    assert told == []
    script.answers = [busy] * 50
    client, _ = client_of(script, gone=0.3)
    with pytest.raises(Refused, match="Locked by pid 7"):
        client.get("/v1/me")


def test_the_edges_page_about_a_dead_server_is_no_answer(script):
    body = json.dumps({"type": "/v1/problems/EdgePerronIsAway", "detail": "Away."}).encode()
    script.answers = [answer(503, body, PROBLEM), answer(body=b'{"a": 1}')]
    client, told = client_of(script)
    assert client.get("/v1/me") == {"a": 1}
    assert told[-1] == "The server is back."
