"""Schedules by a clock that a test sets: what runs, what is skipped, what was missed."""

import pytest

from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.schedules import controller

PLACE = "/v1/apps/shop/environments/production"


def test_a_schedule_says_when_it_comes_next(hours):
    made = hours.add(schedule="0 3 * * *", timezone="Europe/Berlin")
    assert made["next"] == "2026-11-22T02:00:00Z"
    assert made["last"] is None
    assert hours.http.get(f"{PLACE}/schedules").json()["items"] == [made]


def test_each_time_runs_once_as_a_job_with_the_live_release(hours):
    hours.live().add()
    hours.pass_(seconds=29)
    assert hours.runs() == []
    hours.pass_(seconds=1)
    (run,) = hours.runs()
    assert (run["state"], run["release"], run["exit_code"]) == ("done", 1, 0)
    assert run["fire_at"] == "2026-11-21T12:01:00Z"
    spec = hours.engine.specs[run["job"]]
    assert (spec.kind, spec.command, spec.build) == ("cron", "clean", "b")
    hours.look()
    assert len(hours.runs()) == 1
    hours.pass_(minutes=1)
    assert hours.states() == ["done", "done"]
    assert [each["name"] for each in hours.events("ran")] == ["nightly", "nightly"]


def test_a_failed_run_says_how_it_ended(hours):
    hours.live().add()
    hours.engine.failing.add("cron-")
    hours.pass_(minutes=1)
    assert hours.show()["last"]["text"] == "exited with code 1"
    (told,) = hours.events("failed")
    assert (told["code"], told["text"]) == (1, "exited with code 1")


def test_nothing_live_and_a_stopped_environment_skip_and_say_why(hours):
    hours.add()
    hours.pass_(minutes=1)
    assert hours.states() == ["skipped"]
    assert "Nothing is live" in hours.runs()[0]["text"]
    hours.live()
    with hours.ground.writing() as uow:
        from perron.releases import store

        store.set_stopped(uow, hours.production.id, True)
    hours.pass_(minutes=1)
    assert "stopped" in hours.runs()[1]["text"]
    assert [each["why"][:7] for each in hours.events("skipped")] == ["Nothing", "This en"]


def test_while_one_runs_the_next_is_skipped(hours):
    hours.live().add()
    hours.engine.held.add("cron-")
    hours.pass_(minutes=1)
    hours.pass_(minutes=1)
    assert hours.states() == ["running", "skipped"]
    hours.engine.release_jobs()
    hours.pass_(minutes=1)
    assert hours.states() == ["done", "skipped", "done"]


def test_one_waits_and_the_next_is_skipped_where_runs_queue(hours):
    hours.live().add(overlap="queue")
    hours.engine.held.add("cron-")
    for _ in range(3):
        hours.pass_(minutes=1)
    assert hours.states() == ["running", "queued", "skipped"]
    hours.engine.release_jobs()
    hours.look()
    hours.look()
    assert hours.states() == ["done", "done", "skipped"]


def test_a_newer_run_takes_the_place_of_an_older_one(hours):
    hours.live().add(overlap="replace")
    hours.engine.held.add("cron-")
    hours.pass_(minutes=1)
    hours.pass_(minutes=1)
    hours.look()
    assert hours.states() == ["cancelled", "running"]
    assert hours.runs()[0]["text"] == "A newer one took its place."


def test_after_an_absence_the_latest_runs_and_the_others_were_missed(hours):
    hours.live().add()
    hours.pass_(minutes=5)
    assert hours.states() == ["missed"] * 4 + ["done"]
    (told,) = hours.events("missed")
    assert (told["count"], told["first"]) == (4, "2026-11-21T12:01:00+00:00")


def test_a_clock_that_is_set_back_runs_nothing_twice(hours):
    hours.live().add()
    hours.pass_(minutes=3)
    before = hours.states()
    hours.pass_(minutes=-3)
    hours.pass_(minutes=2)
    assert hours.states() == before
    hours.pass_(minutes=2)
    assert hours.states() == [*before, "done"]


def test_while_the_machine_is_away_a_run_waits_until_the_next_time(hours, monkeypatch):
    def away(*_given):
        raise AgentAway("The agent does not answer.")

    hours.live().add(schedule="*/10 * * * *")
    monkeypatch.setattr(hours.engine, "ask_job", away)
    hours.pass_(minutes=10)
    assert hours.states() == ["queued"]
    monkeypatch.undo()
    from perron.kit import clock

    monkeypatch.setattr(clock, "now", lambda: hours.now)
    hours.look()
    assert hours.states() == ["done"]


def test_a_run_that_never_could_begin_was_missed(hours, monkeypatch):
    def away(*_given):
        raise AgentAway("The agent does not answer.")

    hours.live().add(schedule="*/10 * * * *")
    monkeypatch.setattr(hours.engine, "ask_job", away)
    hours.pass_(minutes=10)
    hours.pass_(minutes=10)
    assert hours.states()[0] == "missed"
    assert hours.events("missed")[0]["count"] == 1


def test_a_job_the_machine_forgot_failed(hours, monkeypatch):
    hours.live().add()
    hours.engine.held.add("cron-")
    hours.pass_(minutes=1)
    hours.engine.jobs.clear()
    hours.look()
    assert hours.states() == ["failed"]


def test_a_refused_job_failed_and_says_why(hours, monkeypatch):
    def refuse(*_given):
        raise AgentRefused(422, "No such build.")

    hours.live().add()
    monkeypatch.setattr(hours.engine, "ask_job", refuse)
    hours.pass_(minutes=1)
    assert hours.states() == ["failed"]
    assert "No such build." in hours.runs()[0]["text"]


def test_a_server_that_dies_between_asking_and_noting_it_asks_for_the_same(hours, monkeypatch):
    from perron.schedules import store

    hours.live().add()
    hours.engine.held.add("cron-")
    hours.pass_(minutes=1)
    (run,) = hours.runs()
    with hours.ground.writing() as uow:  # as it was written down before the job was asked for
        store.set_run(uow, run["id"], state="queued", started=None)
    hours.live()  # another release goes live meanwhile
    hours.look()
    assert hours.states() == ["running"]
    assert hours.runs()[0]["release"] == 1
    assert [name for name in hours.engine.jobs if name.startswith("cron-")] == [run["job"]]


def test_it_runs_now_by_hand_also_while_it_is_off(hours):
    hours.live().add(schedule="@yearly", enabled=False)
    assert hours.show()["next"] is None
    answer = hours.run()
    assert answer.status_code == 201
    hours.look()
    (run,) = hours.runs()
    assert (run["state"], run["by_hand"], run["by_name"]) == ("done", True, "Ada")
    assert hours.events("asked")[0]["run"] == run["id"]


def test_by_hand_it_is_refused_while_it_runs_and_with_nothing_live(hours):
    hours.add(schedule="@yearly")
    assert hours.run().status_code == 409
    hours.live()
    hours.engine.held.add("cron-")
    assert hours.run().status_code == 201
    hours.look()
    answer = hours.run()
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("StillRunning")


def test_off_it_never_comes_and_on_it_comes_from_then_on(hours):
    hours.live().add()
    assert hours.change(enabled=False).json()["next"] is None
    hours.pass_(minutes=5)
    assert hours.runs() == []
    assert hours.change(enabled=True).json()["next"] == "2026-11-21T12:06:00Z"
    hours.pass_(minutes=1)
    assert hours.states() == ["done"]


def test_a_change_is_told_with_before_and_after(hours):
    hours.add()
    hours.change(schedule="@daily", timeout=60)
    (told,) = hours.events("changed")
    assert told["before"] == {"expression": "* * * * *", "timeout": 3600.0}
    assert told["after"] == {"expression": "@daily", "timeout": 60.0}


def test_removed_it_never_comes_again_and_its_name_is_free(hours):
    hours.live().add()
    hours.pass_(minutes=1)
    assert hours.http.delete(f"{PLACE}/schedules/nightly").status_code == 204
    hours.pass_(minutes=5)
    assert hours.http.get(f"{PLACE}/schedules/nightly").status_code == 404
    hours.add()
    assert hours.runs() == []


def test_a_release_brings_its_schedules_and_takes_them_along(hours):
    hours.add("mine", schedule="@daily")
    hours.live(nightly=hours.spec(), weekly=hours.spec(schedule="@weekly"))
    assert hours.show()["origin"] == "perron.toml"
    hours.live(nightly=hours.spec(schedule="0 4 * * *"))
    listed = hours.http.get(f"{PLACE}/schedules").json()["items"]
    assert [(each["name"], each["schedule"]) for each in listed] == [
        ("mine", "@daily"),
        ("nightly", "0 4 * * *"),
    ]


def test_what_the_file_says_is_not_changed_here_but_switched_off_it_stays_off(hours):
    hours.live(nightly=hours.spec())
    assert hours.change(command="other").status_code == 409
    assert hours.http.delete(f"{PLACE}/schedules/nightly").status_code == 409
    assert hours.change(enabled=False).status_code == 200
    hours.live(nightly=hours.spec(command="more"))
    found = hours.show()
    assert (found["enabled"], found["command"], found["next"]) == (False, "more", None)


def test_the_file_wins_over_one_of_the_same_name(hours):
    hours.add(command="mine")
    hours.live(nightly=hours.spec())
    assert (hours.show()["origin"], hours.show()["command"]) == ("perron.toml", "clean")
    hours.live()
    assert hours.http.get(f"{PLACE}/schedules/nightly").status_code == 404


def test_an_environment_that_is_gone_takes_its_schedules_along(hours):
    from perron import catalog
    from perron.schedules import store

    hours.live().add()
    hours.pass_(minutes=1)
    with hours.ground.writing() as uow:
        catalog.remove_environment(uow, hours.production)
    hours.hear()
    hours.pass_(minutes=5)
    with hours.ground.reading() as uow:
        assert store.of(uow, hours.production.id) == []
        assert store.soonest(uow) is None


def test_history_keeps_the_last_two_hundred(hours):
    hours.live().add()
    for _ in range(3):
        hours.pass_(minutes=80)
    assert 190 <= len(hours.runs()) <= 201


def test_two_people_do_not_overwrite_each_other(hours):
    hours.add()
    tag = hours.http.get(f"{PLACE}/schedules/nightly").headers["etag"]
    hours.change(timeout=60)
    late = hours.http.patch(
        f"{PLACE}/schedules/nightly", json={"timeout": 90}, headers={"If-Match": tag}
    )
    assert late.status_code == 412


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "61 * * * *"},
        {"timezone": "Mars/Olympus"},
        {"command": ""},
        {"name": "No Name"},
        {"overlap": "hope"},
        {"timeout": 0},
        {"timeout": 1e9},
        {"colour": "blue"},
    ],
)
def test_what_makes_no_sense_is_refused(hours, wrong):
    wanted = {"name": "nightly", "schedule": "@daily", "command": "clean"} | wrong
    answer = hours.http.post(f"{PLACE}/schedules", json=wanted)
    assert answer.status_code == 422, answer.text
    hours.add()
    answer = hours.http.patch(f"{PLACE}/schedules/nightly", json=wrong)
    assert answer.status_code == 422, answer.text


def test_a_name_is_taken_once(hours):
    hours.add()
    again = {"name": "nightly", "schedule": "@daily", "command": "clean"}
    assert hours.http.post(f"{PLACE}/schedules", json=again).status_code == 409


def test_the_scheduler_waits_for_what_comes_next_and_no_longer(hours):
    assert controller._until_next(hours.ground.database) == controller.RESYNC
    hours.live().add()
    hours.now = hours.now.replace(second=58)
    assert controller._until_next(hours.ground.database) == 2.0


def test_pages_of_a_history_follow_each_other(hours):
    hours.live().add()
    hours.pass_(minutes=5)
    address, found, after = f"{PLACE}/schedules/nightly/runs", [], {}
    while after is not None:
        page = hours.http.get(address, params={"limit": 2, **after}).json()
        found += [each["fire_at"] for each in page["items"]]
        after = {"after": page["next"]} if page["next"] else None
    assert found == sorted(found, reverse=True)
    assert len(found) == 5
    for odd in ("x", "WyJ4Il0", "WyIyMDI2Il0"):
        assert hours.http.get(address, params={"after": odd}).status_code in (200, 422)
