"""Bounds as rules: what fits, how it is said, and from when minutes count."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.quotas.model import (
    DAY,
    KINDS,
    MONTH,
    QuotaRefused,
    amount,
    beginning,
    check_limit,
    is_too_much,
    limits_of,
    refusal,
)

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


def test_a_team_has_the_defaults_until_it_has_its_own():
    limits = limits_of({"apps": 3})
    assert limits["apps"] == 3
    assert limits["instances"] == KINDS["instances"].default


def test_what_is_unknown_refuses_nothing():
    assert not is_too_much(0, None, 5)


@pytest.mark.parametrize(
    ("limit", "used", "more", "told"),
    [(3, 2, 1, False), (3, 3, 1, True), (3, 2, 0, False), (3, 3, 0, True), (0, 0, 0, True)],
)
def test_what_fits_exactly_is_allowed(limit, used, more, told):
    assert is_too_much(limit, used, more) is told


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.floats(0.001, 1e12))
def test_more_never_fits_where_less_did_not(limit, used, more):
    if is_too_much(limit, used, more):
        assert is_too_much(limit, used, more * 2)


def test_a_refusal_says_which_how_much_and_who_can_raise_it():
    told = refusal("blue", KINDS["memory"], limit=4 << 30, used=3.5 * (1 << 30), more=1 << 30)
    assert "may have 4 GB (memory of instances) and has 3.5 GB, and this needs 1 GB more" in told
    assert "perron quotas set blue memory=" in told


@pytest.mark.parametrize(
    ("name", "number", "told"),
    [
        ("apps", 3, "3"),
        ("cpu", 1.5, "1.5 cores"),
        (DAY, 12.25, "12.2 minutes"),
        ("disk", 5 << 20, "5 MB"),
        ("disk", 2048, "2 KB"),
    ],
)
def test_amounts_are_said_as_people_say_them(name, number, told):
    assert amount(KINDS[name], number) == told


@pytest.mark.parametrize(("name", "limit"), [("colour", 1), ("apps", -1), ("apps", 1e16)])
def test_a_bound_that_cannot_be_kept_to_is_refused(name, limit):
    with pytest.raises(QuotaRefused):
        check_limit(name, limit)
    check_limit("apps", 0)


def test_minutes_count_from_midnight_and_from_the_first():
    assert beginning(DAY, NOW) == datetime(2026, 11, 21, tzinfo=UTC)
    assert beginning(MONTH, NOW) == datetime(2026, 11, 1, tzinfo=UTC)
