"""What the platform itself does by the clock: told like every other schedule."""

from datetime import timedelta

from perron.schedules import controller
from perron.schedules.service.chores import Chore, Chores

CHORES = "/v1/platform/schedules"


def has(hours, act, *, quiet=0.0, expression="7 * * * *"):
    """Let the platform have one chore."""
    hours.chores = Chores({"backup": Chore("Copy.", expression, act)}, quiet=quiet)
    hours.chores.follow(hours.ground.database)
    return hours


def runs(hours):
    found = hours.http.get(f"{CHORES}/backup/runs").json()["items"]
    return [(each["state"], each["text"]) for each in found]


def test_a_chore_is_done_when_it_comes_and_its_history_is_kept(hours, wait_until):
    done = []
    has(hours, lambda: done.append(1))
    (listed,) = hours.http.get(CHORES).json()["items"]
    assert (listed["name"], listed["next"]) == ("backup", "2026-11-21T12:07:00Z")
    hours.pass_(minutes=7)
    wait_until(lambda: runs(hours) == [("done", "")])
    assert done == [1]
    assert hours.events("ran")[0]["name"] == "backup"


def test_a_chore_that_fails_says_why(hours, wait_until):
    def fail():
        raise OSError("the disk is full")

    has(hours, fail)
    hours.pass_(minutes=7)
    wait_until(lambda: runs(hours) == [("failed", "the disk is full")])
    assert hours.events("failed")[0]["text"] == "the disk is full"


def test_a_chore_that_was_missed_is_done_once_but_not_right_after_a_start(hours, wait_until):
    has(hours, lambda: None, quiet=3600)
    hours.pass_(hours=5)
    assert runs(hours) == []
    has(hours, lambda: None)
    controller.look(hours.ground.database, hours.ground.home, hours.chores)
    wait_until(lambda: [state for state, _ in runs(hours)] == ["done", *["missed"] * 4])


def test_what_a_dead_server_was_doing_has_failed(hours):
    from perron.schedules import store

    has(hours, lambda: None)
    assert hours.root().post(f"{CHORES}/backup/runs").is_success
    with hours.ground.writing() as uow:
        (run,) = store.unfinished(uow)
        store.set_run(uow, run.id, state="running")
    hours.look()
    assert runs(hours) == [("failed", "The server ended meanwhile.")]


def test_a_chore_that_is_no_more_leaves_the_list(hours):
    has(hours, lambda: None)
    hours.chores = Chores({})
    hours.chores.follow(hours.ground.database)
    assert hours.http.get(CHORES).json()["items"] == []


def test_a_chore_comes_when_it_was_to_come_whoever_starts_the_server_again(hours):
    has(hours, lambda: None)
    hours.now += timedelta(minutes=3)
    has(hours, lambda: None)
    (listed,) = hours.http.get(CHORES).json()["items"]
    assert listed["next"] == "2026-11-21T12:07:00Z"


def test_only_administrators_have_the_platform_work(hours):
    has(hours, lambda: None)
    assert hours.http.post(f"{CHORES}/backup/runs").status_code == 403
    assert hours.http.get(f"{CHORES}/nothing/runs").status_code == 404
