"""How figures and times are said."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from perron.dashboard import words
from perron.dashboard.words import Clock

NOW = datetime(2026, 11, 21, 10, 24, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 21, 10, 23, tzinfo=UTC), "10:23"),
        (datetime(2026, 11, 20, 16, 12, tzinfo=UTC), "Fri 16:12"),
        (datetime(2026, 11, 12, 9, 0, tzinfo=UTC), "12 Nov"),
        (datetime(2025, 11, 12, 9, 0, tzinfo=UTC), "12 Nov 2025"),
        (datetime(2026, 11, 22, 9, 0, tzinfo=UTC), "Sun 09:00"),
    ],
)
def test_a_time_is_said_as_short_as_it_can_be(at, said):
    assert Clock(NOW).short(at) == said


def test_times_are_those_of_the_reader():
    there = Clock(NOW, ZoneInfo("Europe/Berlin"))
    assert there.short(NOW) == "11:24"
    assert there.exact(NOW) == "11:24:31"
    assert there.full(NOW) == "21 Nov 2026 10:24:31 UTC"


@pytest.mark.parametrize(
    "name", ["", "Nowhere/Else", "../../etc/passwd", "Europe/Berlin\n", "x" * 99]
)
def test_a_zone_that_is_none_is_utc(name):
    assert words.zone_named(name) is UTC


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0.0 s"), (4.14, "4.1 s"), (9.95, "10 s"), (99, "99 s"), (120, "2 min"), (7200, "2 h"),
     (timedelta(days=41).total_seconds(), "41 d")],
)  # fmt: skip
def test_a_length_of_time_has_one_unit(seconds, said):
    assert words.length(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.0 KB"), (149_000_000, "142 MB"), (5 << 40, "5.0 TB")],
)
def test_a_size_has_three_digits_at_most(count, said):
    assert words.size(count) == said


@pytest.mark.parametrize(("value", "said"), [(1318, "1,318"), (2, "2"), (2.5, "2.5"), (12.6, "13")])
def test_numbers_have_thousands_apart(value, said):
    assert words.number(value) == said


@pytest.mark.parametrize(("highest", "top"), [(0, 2), (1, 2), (7, 8), (61, 80), (1284, 2000)])
def test_an_axis_ends_at_a_round_number_above_the_highest(highest, top):
    assert words.ceiling([0, highest]) == top


def test_the_present_minute_is_neither_drawn_nor_counted():
    counts = [0] * 54 + [10, 10, 10, 10, 10, 1]
    assert words.rate(counts) == 10
    assert words.spark(counts).count("L") == 58
    assert words.curve(counts, 20).endswith("600 75.0")


def test_what_is_unknown_counts_for_nothing():
    assert words.rate([None, None]) == 0
    assert words.total([None, 3]) == 3
    assert words.spark([]) == words.spark([0] * 60) == "M0 23L120 23"


def test_a_chart_of_an_hour_names_its_quarters():
    assert words.hour(Clock(NOW)) == ["09:24", "09:39", "09:54", "10:09", "10:24"]


def test_sentences_begin_and_end_as_such():
    assert words.sentence("web 3") == "Web 3"
    assert words.full_stop("exited with code 1") == "exited with code 1."
    assert words.full_stop("It ended.") == "It ended."
    assert words.some(1, "release") == "1 release"
    assert words.some(3, "release") == "3 releases"


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("2,000", "", 2000), ("0", "bytes", 0), ("64 GB", "bytes", 64 << 30),
        ("512m", "bytes", 512 << 20), ("512", "bytes", None), ("1,000 cores", "cores", 1000),
        ("0.5", "cores", 0.5), ("600 min", "minutes", 600), ("600 cores", "minutes", None),
        ("many", "", None), ("-1", "", None), ("1e9", "", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_said(text, unit, amount):
    assert words.amount_in(text, unit) == amount


@pytest.mark.parametrize(
    ("seconds", "text"), [(3600, "1 h"), (600, "10 min"), (90, "90 s"), (1.5, "1.5 s")]
)
def test_a_length_of_time_that_was_set_is_said_to_the_second_and_read_again(seconds, text):
    assert words.span(seconds) == text
    assert words.seconds_in(text) == seconds
    assert words.seconds_in("soon") is None


def test_what_comes_within_a_week_is_told_by_its_day():
    clock = words.Clock(datetime(2026, 11, 21, 19, 0, tzinfo=UTC))
    assert clock.short(datetime(2026, 11, 22, 3, 0, tzinfo=UTC)) == "Sun 03:00"
    assert clock.short(datetime(2026, 12, 22, 3, 0, tzinfo=UTC)) == "22 Dec"


def test_moments_in_a_document_are_told_to_the_minute():
    assert words.shortly({"expires": "2026-11-21T20:04:55.400406+00:00"}) == (
        "expires 2026-11-21 20:04 UTC"
    )


def test_ids_are_told_by_their_ends():
    id = "ins_01a1ffa09689785eaa66696b43215322"
    assert words.shortly({"instance": id, "name": "web.1"}) == "instance ins_…5322, name web.1"
