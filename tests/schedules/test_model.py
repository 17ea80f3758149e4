"""Schedules as rules: what becomes of a time that has come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from perron.kit.cron import ScheduleRefused
from perron.schedules.model import (
    CommandRefused,
    Run,
    Schedule,
    arrival,
    arrivals,
    changed,
    check,
    is_too_late,
    next_of,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOURLY = Schedule(
    "cron_1", "env_1", "nightly", "0 * * * *", "UTC", "clean", "skip", 60.0, True, "api", NOON,
    "per_1", NOON,
)  # fmt: skip


def run(state="running", fire_at=NOON, *, by_hand=False, id="fire_1"):
    return Run(id, "cron_1", fire_at, state, by_hand, "perron")


def of(schedule, unfinished, now):
    return [(each.fire_at.hour, each.state) for each in arrivals(schedule, unfinished, now)]


def test_nothing_comes_before_its_time():
    assert arrivals(HOURLY, [], NOON - timedelta(seconds=1)) == []
    assert arrivals(replace(HOURLY, next_at=None), [], NOON) == []


def test_what_comes_in_time_runs():
    assert of(HOURLY, [], NOON) == [(12, "queued")]


def test_of_several_times_only_the_latest_runs_and_the_others_were_missed():
    late = NOON + timedelta(hours=3, minutes=59)
    assert of(HOURLY, [], late) == [
        (12, "missed"), (13, "missed"), (14, "missed"), (15, "queued"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("overlap", "unfinished", "state", "ends"),
    [
        ("skip", [run()], "skipped", ()),
        ("queue", [run()], "queued", ()),
        ("queue", [run(), run("queued", id="fire_2")], "skipped", ()),
        ("replace", [run()], "queued", ("fire_1",)),
        ("replace", [run(), run("queued", id="fire_2")], "queued", ("fire_1", "fire_2")),
    ],
)
def test_while_the_one_before_runs_the_overlap_decides(overlap, unfinished, state, ends):
    came = arrival(replace(HOURLY, overlap=overlap), unfinished, NOON)
    assert (came.state, came.ends) == (state, ends)
    assert bool(came.text) == (state == "skipped")


def test_a_run_that_could_not_begin_is_too_late_when_the_next_time_has_come():
    assert not is_too_late(HOURLY, run("queued"), NOON + timedelta(minutes=59))
    assert is_too_late(HOURLY, run("queued"), NOON + timedelta(minutes=60))
    assert not is_too_late(HOURLY, run("queued", by_hand=True), NOON + timedelta(days=2))


def test_when_it_comes_next_is_counted_anew_only_when_the_time_changed():
    at = NOON + timedelta(minutes=10)
    assert changed(HOURLY, at, command="other").next_at == NOON
    assert changed(HOURLY, at, expression="*/15 * * * *").next_at == NOON + timedelta(minutes=15)
    off = changed(HOURLY, at, enabled=False)
    assert off.next_at is None
    assert next_of(off, at) is None
    assert changed(off, at, enabled=True).next_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize("name", ["", "Nightly", "-a", "a b", "x" * 31, "nächtlich"])
def test_a_name_is_plain(name):
    with pytest.raises(CommandRefused):
        check(replace(HOURLY, name=name))


@pytest.mark.parametrize("command", ["", " ", "a\0b", "x" * 9000])
def test_a_command_can_be_run(command):
    with pytest.raises(CommandRefused):
        check(replace(HOURLY, command=command))
    check(HOURLY)


def test_a_schedule_can_be_read():
    with pytest.raises(ScheduleRefused):
        check(replace(HOURLY, expression="never"))
