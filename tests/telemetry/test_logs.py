"""Logs through the API: pages, streams, who may, and what is written down about it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from perron import access, telemetry
from perron.access.service import tokens
from perron.kit import web

LOGS = "/v1/apps/shop/environments/production/logs"


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [line["text"] for line in answer.json()["lines"]]


def test_lines_are_shown_by_what_they_are(machine: Any) -> None:
    machine.say("web.1 started", process="web", instance="web.1", release=3)
    machine.say("worker.1 started", process="worker", instance="worker.1", release=4)
    with machine.agent():
        http = machine.ground.http()
        assert texts(http.get(LOGS)) == ["web.1 started", "worker.1 started"]
        assert texts(http.get(LOGS, params={"process": "web"})) == ["web.1 started"]
        assert texts(http.get(LOGS, params={"release": 4})) == ["worker.1 started"]
        assert texts(http.get(LOGS, params={"text": "WORKER"})) == ["worker.1 started"]
        assert texts(http.get(LOGS, params={"since": "10m", "limit": 1})) == ["web.1 started"]
        assert texts(http.get(LOGS, params={"until": "1h"})) == []
        line = http.get(LOGS, params={"limit": 1}).json()["lines"][0]
    assert (line["source"], line["instance"], line["release"]) == ("platform", "worker.1", 4)


def test_pages_follow_each_other(machine: Any) -> None:
    with machine.agent():
        http = machine.ground.http()
        start = http.get(LOGS).json()["next"]
        for n in range(5):
            machine.say(f"line {n}")
        first = http.get(LOGS, params={"after": start, "limit": 3})
        rest = http.get(LOGS, params={"after": first.json()["next"], "limit": 3})
    assert texts(first) + texts(rest) == [f"line {n}" for n in range(5)]


def test_pages_go_back(machine: Any) -> None:
    with machine.agent():
        http = machine.ground.http()
        for n in range(5):
            machine.say(f"line {n}")
        newest = http.get(LOGS, params={"limit": 2})
        first = newest.json()["lines"][0]["cursor"]
        older = http.get(LOGS, params={"before": first, "limit": 2})
    assert texts(older) + texts(newest) == [f"line {n}" for n in range(1, 5)]


def test_what_cannot_be_read_is_refused(machine: Any) -> None:
    with machine.agent():
        http = machine.ground.http()
        for params in ({"since": "yesterday"}, {"after": "x"}, {"source": "other"}, {"limit": 0}):
            assert http.get(LOGS, params=params).status_code == 422, params


def test_an_agent_that_is_away_is_told_in_words(machine: Any) -> None:
    answer = machine.ground.http().get(LOGS)
    assert answer.status_code == 503
    assert "logs are kept" in answer.json()["detail"]
    with machine.ground.reading() as uow, pytest.raises(telemetry.LogsAway):
        telemetry.last_lines(uow, machine.production.id)


def test_the_last_lines_are_there_for_others_to_show(machine: Any) -> None:
    for n in range(30):
        machine.say(f"line {n}", instance="web.1")
    machine.say("other", instance="web.2")
    with machine.agent(), machine.ground.reading() as uow:
        found = telemetry.last_lines(uow, machine.production.id, n=2, instance="web.1")
    assert found == ["line 28", "line 29"]


def test_a_reading_is_written_down_once_an_hour_and_strangers_see_nothing(machine: Any) -> None:
    with machine.agent():
        http = machine.ground.http()
        for _ in range(3):
            assert http.get(LOGS).status_code == 200
        stranger = machine.ground.http(machine.ground.person("stranger"))
        assert stranger.get(LOGS).status_code == 404
        assert machine.ground.http("wrong").get(LOGS).status_code == 401
    read = machine.ground.events("perron.logs.read.v1")
    assert [(each["actor"], each["subject"]) for each in read] == [
        (machine.ground.ada.id, machine.production.id)
    ]


def sent(lines: Iterator[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the events of a stream: name, id, data."""
    name = id = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("id: "):
            id = line.removeprefix("id: ")
        elif line.startswith("data: "):
            yield name, id, json.loads(line.removeprefix("data: "))


def test_lines_are_followed_and_taken_up_again_where_they_were_left(machine: Any) -> None:
    machine.say("before")
    with machine.agent(), machine.api(machine.ground.token) as client:
        with client.stream("GET", f"{LOGS}/follow") as answer:
            events = sent(answer.iter_lines())
            name, cursor, line = next(events)
            assert (name, line["text"]) == ("line", "before")
            machine.say("now")
            name, cursor, line = next(events)
            assert line["text"] == "now"
        machine.say("meanwhile")
        headers = {"Last-Event-ID": cursor}
        with client.stream("GET", f"{LOGS}/follow", headers=headers) as answer:
            assert next(sent(answer.iter_lines()))[2]["text"] == "meanwhile"


def test_a_follower_outlives_the_agent(machine: Any) -> None:
    with (
        machine.api(machine.ground.token) as client,
        client.stream("GET", f"{LOGS}/follow") as answer,
    ):
        events = sent(answer.iter_lines())
        name, _, told = next(events)
        assert name == "away"
        assert "come back" in told["detail"]
        with machine.agent():
            machine.say("back")
            name, _, line = next(events)
            assert (name, line["text"]) == ("line", "back")


def test_a_follower_whose_permission_ends_is_let_go_and_told_why(
    machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "HEARTBEAT", 0.05)
    monkeypatch.setattr(web, "CHECKED_EVERY", 0.2)
    token = machine.ground.person("viewer")
    machine.say("for members")
    with machine.agent(), machine.api(token) as client:
        with client.stream("GET", f"{LOGS}/follow") as answer:
            lines = answer.iter_lines()
            assert next(sent(lines))[2]["text"] == "for members"
            revoke(machine, token)
            assert "for nobody" not in "".join(lines), "the stream ends"
        assert client.get(LOGS).status_code == 401


def revoke(machine: Any, token: str) -> None:
    with machine.ground.writing() as uow:
        person = access.actor_with(uow, token)
        tokens.revoke_all(uow, person.id)
