"""What holds for every request: problems, repeats, ids, bounds, and pages to browse."""

import json
import threading

import pytest

from perron.server import docs
from perron.server.requests import MAX_JSON


def problem(answer, status, code):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"/v1/problems/{code}",
    )
    assert body["title"]
    assert body["detail"].endswith(".")
    return body


def test_every_kind_of_refusal_is_a_problem_with_a_stable_type(ground):
    http = ground.http()
    problem(http.get("/v1/apps/nope"), 404, "AppNotFound")
    problem(http.get("/v1/nope"), 404, "NoSuchAddress")
    taken = http.delete("/v1/me")
    assert taken.headers["allow"] == "GET"
    problem(taken, 405, "NoSuchMethod")
    problem(http.post("/v1/apps", json={"name": "X"}), 422, "NameRefused")
    problem(ground.http("none").get("/v1/me"), 401, "NotSignedIn")


def test_what_cannot_be_read_is_told_by_its_field(ground):
    body = problem(ground.http().post("/v1/apps", json={"nam": 1}), 422, "Invalid")
    assert [each["field"] for each in body["fields"]] == ["name", "nam"]
    headers = {"Content-Type": "application/json"}
    broken = ground.http().post("/v1/apps", content=b'{"name": ', headers=headers)
    assert "JSON" in problem(broken, 422, "Invalid")["detail"]
    not_text = ground.http().post("/v1/apps", content=b"\xff\xfe\xfa", headers=headers)
    assert 400 <= not_text.status_code < 500


def test_a_value_that_was_refused_is_not_repeated(ground):
    secret = ground.http().post("/v1/tokens", json={"name": ["hunter2"]})
    assert secret.status_code == 422
    assert "hunter2" not in secret.text


def test_a_fault_is_ours_and_shows_no_insides(ground, monkeypatch, caplog):
    from perron.server import platform

    monkeypatch.setattr(platform.runtime, "sight_of", lambda _home: 1 / 0)
    answer = ground.http().get("/v1/platform", headers={"X-Request-ID": "req-7"})
    body = problem(answer, 500, "Fault")
    assert "req-7" in body["detail"]
    assert "ZeroDivision" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_each_problem_explains_itself(ground):
    http = ground.http("")
    assert http.get("/v1/problems/NameTaken").json()["status"] == 409
    assert http.get("/v1/problems/Busy").json()["status"] == 503
    problem(http.get("/v1/problems/Nope"), 404, "ProblemTypeNotFound")


def test_a_request_keeps_the_id_the_edge_gave_it_and_has_one_of_its_own_otherwise(ground):
    http = ground.http("")
    assert http.get("/v1/health", headers={"X-Request-ID": "abc"}).headers["x-request-id"] == "abc"
    for odd in ("", "a b", "x" * 101):
        given = http.get("/v1/health", headers={"X-Request-ID": odd}).headers["x-request-id"]
        assert given.startswith("req_")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_without_end_is_cut_off(ground, announced):
    def chunks():
        yield b'{"name": "'
        for _ in range(MAX_JSON // (1 << 20) + 2):
            yield b"x" * (1 << 20)

    content = b"".join(chunks()) if announced else chunks()
    headers = {"Content-Type": "application/json"}
    problem(ground.http().post("/v1/apps", content=content, headers=headers), 413, "TooLarge")


def test_absurdly_nested_json_is_refused(ground):
    headers = {"Content-Type": "application/json"}
    deep = b"[" * 200_000
    assert 400 <= ground.http().post("/v1/apps", content=deep, headers=headers).status_code < 500


def test_a_request_sent_twice_is_done_once(ground):
    headers = {"Idempotency-Key": "k1"}
    first = ground.http().post("/v1/apps", json={"name": "blog"}, headers=headers)
    again = ground.http().post("/v1/apps", json={"name": "blog"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(ground.events("perron.app.added.v1")) == 2  # shop and blog


def test_a_key_belongs_to_one_request_of_one_caller(ground):
    headers = {"Idempotency-Key": "k1"}
    ground.http().post("/v1/apps", json={"name": "blog"}, headers=headers)
    other = ground.http().post("/v1/apps", json={"name": "news"}, headers=headers)
    problem(other, 422, "KeyReused")
    elsewhere = ground.http(ground.person("developer")).post(
        "/v1/apps", json={"name": "news"}, headers=headers
    )
    assert elsewhere.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9".encode()])
def test_an_odd_key_is_refused(ground, key):
    answer = ground.http().post(
        "/v1/apps", json={"name": "blog"}, headers=[("Idempotency-Key", key)]
    )
    problem(answer, 422, "KeyRefused")


def test_a_request_that_failed_may_be_sent_again_with_its_key(ground):
    headers = {"Idempotency-Key": "k1"}
    path, body = "/v1/apps/blog/environments", {"name": "staging"}
    assert ground.http().post(path, json=body, headers=headers).status_code == 404
    ground.http().post("/v1/apps", json={"name": "blog"})
    assert ground.http().post(path, json=body, headers=headers).status_code == 201


def test_the_same_request_many_times_at_once_is_done_once(ground):
    answers = []

    def ask():
        headers = {"Idempotency-Key": "k1"}
        path = "/v1/apps/shop/environments"
        answers.append(ground.http().post(path, json={"name": "staging"}, headers=headers))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert sum("idempotency-replayed" in each.headers for each in answers) == 7


def test_a_commit_that_fails_is_an_error_answer(ground, monkeypatch):
    from perron.kit import once

    def full(*_given, **_more):
        from sqlalchemy.exc import OperationalError

        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(once, "keep", full)
    answer = ground.http().post("/v1/apps", json={"name": "blog"}, headers={"Idempotency-Key": "k"})
    problem(answer, 507, "DiskFull")
    assert "Make room" in answer.json()["detail"]
    assert ground.http().get("/v1/apps").json()["items"][0]["name"] == "shop"
    assert len(ground.http().get("/v1/apps").json()["items"]) == 1


def test_the_api_is_browsed_without_a_network(ground):
    http = ground.http("")
    page = http.get(docs.DOCS)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "http" not in page.text.replace(docs.OPENAPI, "")
    for name, kind in docs.FILES.items():
        asset = http.get(f"{docs.DOCS}/{name}")
        assert asset.headers["content-type"].startswith(kind)
    problem(http.get(f"{docs.DOCS}/..%2fapp.py"), 404, "NoSuchAddress")
    problem(http.get(f"{docs.DOCS}/other.js"), 404, "AssetNotFound")
    assert json.loads(http.get(docs.OPENAPI).text)["openapi"].startswith("3.1")


def test_an_odd_cursor_is_refused(ground):
    for odd in ("x", "e30", "bm8", "WzFd", "\u00fc"):
        problem(ground.http().get("/v1/operations", params={"after": odd}), 422, "CursorRefused")
