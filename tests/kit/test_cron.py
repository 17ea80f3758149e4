"""Schedules: when they come, across changes of local time, and after the server was away."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.kit import cron
from perron.kit.cron import ScheduleRefused

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def first(expression, at, count=3, zone=BERLIN):
    times = cron.times_after(expression, zone, at)
    return [next(times) for _ in range(count)]


@pytest.mark.parametrize(
    ("expression", "then"),
    [
        ("*/5 * * * *", utc(2026, 11, 21, 12, 5)),
        ("0 3 * * *", utc(2026, 11, 22, 3)),
        ("@daily", utc(2026, 11, 22)),
        ("@Hourly", utc(2026, 11, 21, 13)),
        ("0 9 * * MON", utc(2026, 11, 23, 9)),
        ("0 0 29 2 *", utc(2028, 2, 29)),
        ("0 0 L * *", utc(2026, 11, 30)),
    ],
)
def test_the_next_time_is_strictly_after_the_moment(expression, then):
    assert cron.next_after(expression, "UTC", NOON) == then


def test_a_local_time_stays_the_same_when_the_clock_changes():
    assert first("0 9 * * *", utc(2026, 3, 28, 12), 2) == [
        utc(2026, 3, 29, 7),
        utc(2026, 3, 30, 7),
    ]
    assert first("0 9 * * *", utc(2026, 10, 24, 12), 1) == [utc(2026, 10, 25, 8)]


def test_what_the_clock_jumps_over_happens_right_after():
    assert first("30 2 * * *", utc(2026, 3, 28, 12), 2) == [
        utc(2026, 3, 29, 1),
        utc(2026, 3, 30, 0, 30),
    ]


def test_what_the_clock_repeats_happens_once():
    assert first("30 2 * * *", utc(2026, 10, 24, 12), 2) == [
        utc(2026, 10, 25, 0, 30),
        utc(2026, 10, 26, 1, 30),
    ]
    assert cron.next_after("30 2 * * *", BERLIN, utc(2026, 10, 25, 1, 10)) == utc(
        2026, 10, 26, 1, 30
    )


def test_what_comes_often_comes_in_every_real_hour():
    times = first("*/30 * * * *", utc(2026, 10, 24, 23, 45), 6)
    assert {later - sooner for sooner, later in pairwise(times)} == {timedelta(minutes=30)}


@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 */3 * * *", "5 1 * * 0", "0 0 1 * *"]),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
)
def test_time_only_moves_forward(at, expression, zone):
    times = first(expression, at, 3, zone)
    assert at < times[0] < times[1] < times[2]


@pytest.mark.parametrize(
    "wrong",
    ["", "hello", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@sometimes", "9" * 5000,
     "*/0 * * * *", "0 0 * * 8", "\x00 * * * *", "² * * * *"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_an_example(wrong):
    with pytest.raises(ScheduleRefused) as no:
        cron.check(wrong, "UTC")
    assert "'0 3 * * *'" in str(no.value)


@pytest.mark.parametrize("wrong", ["", "Berlin", "../../etc/passwd", "UTC\x00", "x" * 5000])
def test_what_is_no_time_zone_is_refused(wrong):
    with pytest.raises(ScheduleRefused):
        cron.check("@daily", wrong)


def test_after_an_absence_the_latest_is_due_and_the_others_were_missed():
    found = cron.due("0 * * * *", "UTC", first=utc(2026, 11, 21, 9), now=NOON)
    assert found.latest == NOON
    assert found.missed == (utc(2026, 11, 21, 9), utc(2026, 11, 21, 10), utc(2026, 11, 21, 11))
    assert not found.is_cut


def test_one_that_has_just_come_missed_nothing():
    found = cron.due("0 * * * *", "UTC", first=NOON, now=NOON + timedelta(seconds=1))
    assert (found.latest, found.missed) == (NOON, ())


def test_a_long_absence_is_told_in_short():
    found = cron.due("* * * * *", "UTC", first=utc(2025, 11, 21), now=NOON)
    assert found.latest == NOON
    assert len(found.missed) == cron.COUNTED
    assert found.is_cut


def test_a_rare_one_that_was_missed_long_ago_is_still_due():
    found = cron.due("@yearly", "UTC", first=utc(2026, 1, 1), now=NOON)
    assert (found.latest, found.missed) == (utc(2026, 1, 1), ())
