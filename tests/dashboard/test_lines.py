"""How lines, sizes and days are read."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from perron import dashboard
from perron.cli import index
from perron.dashboard import lines, words
from perron.dashboard.activity import by_day
from perron.dashboard.words import Clock

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


def line(text, source="app", **more):
    return {"text": text, "source": source, "instance": "web.1", "process": "web"} | more


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (line("GET /errors 200"), "info"),
        (line("ERROR payment declined"), "error"),
        (line("Traceback (most recent call last):"), "error"),
        (line('{"level": "error", "msg": "no"}'), "error"),
        (line("WARN gateway answered slowly"), "warn"),
        (line("GET /pay 503 2 ms", "router"), "error"),
        (line("GET /pay 503 2 ms"), "info"),
    ],
)
def test_a_line_is_as_bad_as_its_own_words(said, level):
    assert lines.level(said) == level


def test_what_was_searched_for_is_marked_however_it_is_written():
    cut = list(lines.pieces("Paid and paid.", "PAID"))
    assert cut == [(True, "Paid"), (False, " and "), (True, "paid"), (False, ".")]
    assert list(lines.pieces("a.c abc", "a.c")) == [(True, "a.c"), (False, " abc")]


def test_a_line_names_who_says_it():
    assert lines.speaker(line("x")) == "web.1"
    assert lines.speaker(line("x", "platform")) == "perron"
    assert lines.speaker({"source": "build", "instance": "", "process": ""}) == "build"


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 << 20), ("2 GB", 2 << 30), ("1.5GiB", 3 << 29), ("10", 10), ("2X", None),
     ("", None), ("-1G", None)],
)  # fmt: skip
def test_sizes_are_read_as_people_write_them(text, size):
    assert words.bytes_in(text) == size


def test_a_day_is_named_as_the_reader_lives_it():
    clock = Clock(NOW, ZoneInfo("Pacific/Auckland"))  # 23:30 there
    assert clock.day(NOW) == "Today"
    assert clock.day(datetime(2026, 11, 21, 10, 59, tzinfo=UTC)) == "Today"
    assert clock.day(datetime(2026, 11, 20, 10, tzinfo=UTC)) == "Yesterday"
    assert Clock(NOW).day(datetime(2026, 11, 17, 10, tzinfo=UTC)) == "Tuesday 17 Nov"
    assert Clock(NOW).day(datetime(2025, 11, 12, tzinfo=UTC)) == "12 Nov 2025"


def test_what_happens_again_and_again_is_told_once_with_how_often():
    fell = {"time": NOW.isoformat(), "text": "web.1 fell", "by": "perron", "environment": "staging"}
    ((day, told),) = by_day(Clock(NOW), [fell, fell, {**fell, "text": "web.2 fell"}])
    assert day == "Today"
    assert [(each["text"], each["times"]) for each in told] == [
        ("web.1 fell", 2),
        ("web.2 fell", 1),
    ]


def test_every_command_a_page_teaches_exists():
    taught = set()
    for page in (Path(dashboard.__file__).parent / "templates").glob("*.html"):
        taught |= set(re.findall(r"\bperron ([a-z]{2,})\b", page.read_text()))
    assert taught - {"platform"} <= set(index.COMMANDS)
