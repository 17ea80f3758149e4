"""The HTTP door of operations: looking, listing, following, cancelling."""

import json
import socket
import threading
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from perron import operations
from perron.kit import bell
from perron.kit.db import unit_of_work
from perron.kit.problems import Temporary
from perron.kit.spine import Place
from perron.operations import Step, Workflow, controller


@pytest.fixture
def start(ground):
    def start(lock="oven", correlation=None, team=None):
        place = Place(ground.blue, ground.shop.id, "env_1")
        with unit_of_work(ground.database, actor=ground.ada.id, actor_kind="person") as uow:
            return operations.start(
                uow, "bake", subject="cake", lock=lock, team=team or ground.blue, place=place,
                correlation=correlation,
            )  # fmt: skip

    return start


@contextmanager
def served(app):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def controlled(database, workflows):
    stop = threading.Event()
    running = controller.Controller(database, workflows)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        bell.ring()
        thread.join(20)


def events_of(lines):
    """Read server-sent events as they come, to the end."""
    event = {}
    for line in lines:
        if not line:
            if "event" in event:
                yield event["event"], json.loads(event["data"]), event.get("id")
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def test_an_operation_is_shown_with_its_steps_progress_and_family(ground, start):
    first = start()
    start("pan", first.correlation)

    def talk(work):
        work.say("Baking.", degrees=180)

    workflow = Workflow((Step("bake", talk), Step("serve", lambda _work: None)))
    controller.run_once(ground.database, {"bake": workflow})
    shown = ground.http().get(f"/v1/operations/{first.id}").json()
    operation = shown["operation"]
    assert (operation["state"], operation["actor"]) == ("done", ground.ada.id)
    assert [(each["name"], each["state"]) for each in operation["steps"]] == [
        ("bake", "done"),
        ("serve", "done"),
    ]
    assert operation["progress"][0]["facts"] == {"degrees": 180}
    assert operation["finished"] is not None
    assert len(shown["family"]) == 2


def test_operations_are_listed_newest_first_a_page_at_a_time(ground, start):
    ids = [start(str(number)).id for number in range(5)]
    start(team=ground.red)
    http = ground.http()
    page = http.get("/v1/operations", params={"limit": 2, "app": ground.shop.id}).json()
    found = [each["id"] for each in page["items"]]
    while page["next"]:
        page = http.get("/v1/operations", params={"limit": 2, "after": page["next"]}).json()
        found += [each["id"] for each in page["items"]]
    assert found == ids[::-1]
    assert http.get("/v1/operations", params={"state": "done"}).json()["items"] == []
    assert (
        len(http.get("/v1/operations", params={"state": ["done", "waiting"]}).json()["items"]) == 5
    )
    assert http.get("/v1/operations", params={"environment": "env_2"}).json()["items"] == []
    assert http.get("/v1/operations", params={"limit": 0}).status_code == 422


def test_cancelling_says_by_whom_and_twice_is_refused(ground, start):
    operation = start()
    answer = ground.http().post(f"/v1/operations/{operation.id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert answer.json()["reason"] == "Cancelled by Ada."
    assert ground.http().post(f"/v1/operations/{operation.id}/cancel").status_code == 409
    cancelled = ground.events("perron.operation.cancelled.v1")
    assert [each["actor"] for each in cancelled] == [ground.ada.id]


def test_an_operation_is_followed_as_it_goes_to_its_end(ground, start):
    gate, told = threading.Event(), threading.Event()

    def bake(work):
        if not told.is_set():
            work.say("Mixing.")
            told.set()
        if not gate.is_set():
            raise Temporary("The oven is cold.")
        work.say("Baked.")

    workflows = {"bake": Workflow((Step("bake", bake), Step("serve", lambda _work: None)))}
    operation, seen = start(), []
    with served(ground.app) as url, controlled(ground.database, workflows):
        headers = {"Authorization": f"Bearer {ground.token}"}
        address = f"{url}/v1/operations/{operation.id}/events"
        with httpx.stream("GET", address, headers=headers, timeout=20) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for kind, data, id in events_of(stream.iter_lines()):
                seen.append((kind, data, id))
                if kind == "step" and data["message"] == "The oven is cold.":
                    gate.set()
                    bell.ring()
    told_ = [data["text"] for kind, data, _ in seen if kind == "progress"]
    assert told_ == ["Mixing.", "Baked."]
    assert [data["state"] for kind, data, _ in seen if kind == "state"][-1] == "done"
    last = {data["name"]: data["state"] for kind, data, _ in seen if kind == "step"}
    assert last == {"bake": "done", "serve": "done"}
    assert seen[-1][0] == "state"


def test_following_goes_on_where_it_broke_off(ground, start):
    operation = start()

    def talk(work):
        for number in range(5):
            work.say(f"line {number}")

    controller.run_once(ground.database, {"bake": Workflow((Step("talk", talk),))})
    address = f"/v1/operations/{operation.id}/events"
    first = list(events_of(ground.http().get(address).text.split("\n")))
    heard = next(id for kind, data, id in first if kind == "progress" and data["text"] == "line 2")
    rest = ground.http().get(address, headers={"Last-Event-ID": heard}).text
    told = [data["text"] for kind, data, _ in events_of(rest.split("\n")) if kind == "progress"]
    assert told == ["line 3", "line 4"]


@pytest.mark.parametrize("odd", ["9" * 20, "9" * 5000, "-1", "x", ""])
def test_an_odd_position_is_heard_from_the_start(ground, start, odd):
    operation = start()
    work = {"bake": Workflow((Step("talk", lambda work: work.say("Baked.")),))}
    controller.run_once(ground.database, work)
    address = f"/v1/operations/{operation.id}/events"
    told = ground.http().get(address, headers={"Last-Event-ID": odd}).text
    assert "Baked." in told


def test_who_follows_holds_neither_thread_nor_transaction(ground, start):
    operation = start()
    headers = {"Authorization": f"Bearer {ground.token}"}
    with served(ground.app) as url, httpx.Client(base_url=url, headers=headers, timeout=20) as http:
        address = f"/v1/operations/{operation.id}/events"
        limits = httpx.Limits(max_connections=200)
        with httpx.Client(base_url=url, headers=headers, limits=limits, timeout=20) as many:
            open_ = [many.stream("GET", address) for _ in range(60)]  # more than there are threads
            streams = [each.__enter__() for each in open_]
            assert {each.status_code for each in streams} == {200}
            assert http.post("/v1/apps", json={"name": "blog"}).status_code == 201
            assert http.get("/v1/me").status_code == 200
            http.post(f"/v1/operations/{operation.id}/cancel")
            ends = [list(events_of(each.iter_lines()))[-1] for each in streams]
            for each in open_:
                each.__exit__(None, None, None)
    assert {(kind, data["state"]) for kind, data, _ in ends} == {("state", "cancelled")}
