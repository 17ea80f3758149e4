"""What administrators see of the machine, and of what it does just now."""

import time

from perron import operations
from perron.kit.settings import GIB
from perron.server import doctor, examining, rooms


def until(look):
    end = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_the_doctors_findings_are_shown_with_what_to_do(ground):
    found = ground.http(ground.root).get("/v1/platform/doctor").json()
    by_name = {each["name"]: each for each in found["findings"]}
    assert by_name["versions"]["state"] == "ok"
    assert by_name["disk"]["text"].startswith(f"{found['disk']['free'] / GIB:.0f} GB of ")
    assert all(each["advice"] for each in found["findings"] if each["state"] == "failed")
    assert found["disk"]["folder"] == str(ground.home.path)
    assert found["backups"] == {"newest": None, "whole": 0, "states": 0}


def test_the_machine_is_looked_at_once_for_many_who_ask(ground, monkeypatch):
    looks = []
    look = lambda home, chosen: iter(looks.append(1) or [])  # noqa: E731
    monkeypatch.setattr(doctor, "LOOKS", (look,))
    examining._looked.clear()
    http = ground.http(ground.root)
    assert {http.get("/v1/platform/doctor").json()["at"] for _ in range(5)} != set()
    assert looks == [1]
    examining._looked.clear()


def test_what_takes_room_is_unknown_until_it_is_measured_and_then_the_largest_first(ground):
    folder = ground.home.path / "node" / "builds" / "one"
    folder.mkdir(parents=True)
    (folder / "app").write_bytes(b"x" * 3_000_000)
    http = ground.http(ground.root)
    disk = http.get("/v1/platform/doctor").json()["disk"]
    assert disk["parts"] is None or disk["measured"]
    parts = until(lambda: http.get("/v1/platform/doctor").json()["disk"]["parts"])
    sizes = [each["bytes"] for each in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert {each["part"]: each["bytes"] for each in parts}["builds"] >= 3_000_000


def test_a_file_with_two_names_takes_its_room_once(tmp_path):
    builds = tmp_path / "node" / "builds"
    builds.mkdir(parents=True)
    (builds / "a").write_bytes(b"x" * 2_000_000)
    (builds / "b").hardlink_to(builds / "a")
    assert rooms.measure(tmp_path).parts["builds"] < 3_000_000


def test_what_runs_now_is_told_with_whose_it_is_and_its_last_word(ground):
    with ground.writing(ground.ada.id) as uow:
        place = ground.shop.place
        made = operations.start(uow, "none", subject="-", lock="x", team=ground.blue, place=place)
        operations.start(uow, "none", subject="-", lock="y", team=ground.red)
    found = ground.http(ground.root).get("/v1/platform/work").json()["items"]
    mine = next(each for each in found if each["operation"] == made.id)
    told = {name: mine[name] for name in ("work", "state", "step", "team", "app", "by_name")}
    assert told == {"work": "none", "state": "waiting", "step": "", "team": "blue", "app": "shop",
                    "by_name": "Ada"}  # fmt: skip
    assert any(each["team"] == "red" and each["app"] is None for each in found)


def test_owners_see_nothing_of_the_machine(ground):
    for path in ("/v1/platform/doctor", "/v1/platform/work"):
        assert ground.http().get(path).status_code == 403
