"""How moments and cursors are read."""

from datetime import UTC, datetime, timedelta

import pytest

from perron.telemetry import SinceRefused
from perron.telemetry.model import moment, position

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("3d", 259_200), ("1w", 604_800), (" 5m ", 300)],
)
def test_a_moment_can_be_told_as_how_long_ago(text: str, ago: int) -> None:
    assert moment(text, NOW) == NOW - timedelta(seconds=ago)


@pytest.mark.parametrize("text", ["2026-05-01T11:00:00Z", "2026-05-01T13:00:00+02:00"])
def test_a_moment_can_be_told_as_a_time(text: str) -> None:
    assert moment(text, NOW) == datetime(2026, 5, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["yesterday", "10", "-5m", "999999999w", "2026-13-01T00:00:00Z", "2026-05-01T11:00:00"]
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SinceRefused, match="write"):
        moment(text, NOW)


def test_nothing_said_is_no_moment_and_no_position() -> None:
    assert moment(None, NOW) is None
    assert moment("", NOW) is None
    assert position(None) is None
    assert position("42") == 42
    for text in ("x", "-1", "1" * 19, "٣x"):
        with pytest.raises(SinceRefused):
            position(text)
