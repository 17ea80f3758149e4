"""What is kept of backups, and what is said of their age and of their failing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.kit import clock, settings
from perron.kit.settings import Settings, SettingsRefused
from perron.server import doctor, freshness, listing, routine
from perron.server.retention import Policy, policy_of, to_keep

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.lists(
    st.integers(0, 364 * 86_400).map(lambda s: NEW_YEAR + timedelta(seconds=s)),
    max_size=40,
    unique=True,
)
COUNTS = st.integers(0, 10)


def named(at: datetime) -> Path:
    return Path(at.strftime("whole-%Y%m%dT%H%M%S.%fZ"))


@given(MOMENTS, COUNTS, COUNTS, COUNTS)
def test_no_more_are_kept_than_asked_for_and_the_newest_always(moments, hours, days, weeks):
    backups = [named(at) for at in moments]
    kept = to_keep(backups, Policy(hours, days, weeks))
    assert kept <= set(backups)
    assert len(kept) <= max(1, hours + days + weeks)
    if moments:
        assert named(max(moments)) in kept


def test_so_many_weeks_have_their_newest_kept():
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    backups = [named(now - timedelta(days=days)) for days in range(60)]
    kept = sorted(to_keep(backups, Policy(hourly=0, daily=2, weekly=4)), reverse=True)
    assert kept == [named(now - timedelta(days=days)) for days in (0, 1, 5, 12, 19)]


def test_how_many_are_kept_is_a_setting_and_odd_numbers_are_refused():
    assert policy_of(Settings()) == Policy(24, 7, 0)
    assert policy_of(Settings(backups_weekly=8)).weekly == 8
    for wrong in (-1, 1001):
        with pytest.raises(SettingsRefused, match=r"backups_daily cannot be .* from 0 to 1000"):
            Settings(backups_daily=wrong)


def test_a_backup_by_the_clock_that_fails_is_said_until_one_is_made_again(ground):
    settings.save(ground.home, Settings())
    assert [each.state for each in doctor.backup(ground.home, Settings())] == ["unknown"]
    ground.home.backups.mkdir(exist_ok=True)
    ground.home.backups.chmod(0o700)
    blocked = ground.home.node_database
    blocked.mkdir()  # no database: the whole backup cannot be made
    stop = Event()
    stop.set()
    routine.keep(ground.home, stop)
    (found,) = doctor.backup(ground.home, Settings())
    assert (found.name, found.state) == ("backup", "failed")
    assert "failing since" in found.text
    since = freshness.failure(ground.home).since
    routine.keep(ground.home, stop)
    assert freshness.failure(ground.home).since == since
    freshness.note_success(ground.home)
    (found,) = doctor.backup(ground.home, Settings())
    assert (found.state, found.text) == ("ok", "the newest is 0 min old")


def test_backups_are_listed_with_age_size_and_how_long_they_stay(ground, capsys, monkeypatch):
    monkeypatch.setenv("PERRON_HOME", str(ground.home.path))
    settings.save(ground.home, Settings(backups_weekly=3))
    assert listing.show(as_json=False) == 0
    assert "No backup yet" in capsys.readouterr().err
    old, new = clock.now() - timedelta(days=3), clock.now()
    for each in (named(old), named(new), Path(named(new).name.replace("whole", "before-upgrade"))):
        folder = ground.home.backups / each
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(bytes(200_000))
    assert listing.show(as_json=False) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert "0.2 MB" in said.out
    assert "The newest is 0 min old. Kept: 24 by hour, 7 by day, 3 by week" in said.err
    listing.show(as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert {each["kind"] for each in told["backups"]} == {"whole", "before-upgrade"}
    assert told["failed"] is None
