"""One-off commands: what was written down is asked for, whoever is killed in between."""

from datetime import timedelta

import pytest

from perron.contract.node import JobState
from perron.contract.sessions import RunRequest
from perron.kit import clock
from perron.releases import store
from perron.releases.service import sessions


@pytest.fixture
def run(platform):
    """A run whose server was killed just after it was written down."""
    platform.deploy()
    with platform.writing() as uow:
        id = sessions.ask(uow, platform.production, RunRequest(argv=["echo", "token-of-mine"]))
        uow.once_kept.clear()
    return id


def waiting(platform):
    with platform.reading() as uow:
        return [each.id for each in store.waiting_runs(uow)]


def test_a_run_that_was_never_asked_for_is_asked_for_later_and_once(platform, run):
    name = f"run-{run}"
    assert name not in platform.engine.jobs
    with platform.reading() as uow:
        assert sessions.report(uow, platform.production, run).state is JobState.QUEUED
    sessions.hand_over_waiting(platform.database, platform.home)
    assert platform.engine.specs[name].argv == ["echo", "token-of-mine"]
    assert waiting(platform) == []


def test_a_run_that_was_asked_for_waits_no_more(platform):
    platform.deploy()
    with platform.writing() as uow:
        id = sessions.ask(uow, platform.production, RunRequest(argv=["true"]))
    for act in uow.once_kept:
        act()
    assert f"run-{id}" in platform.engine.jobs
    assert waiting(platform) == []


def test_what_a_waiting_run_says_is_sealed(platform, run):
    with platform.reading() as uow:
        [row] = uow.connection.execute(store.runs.select()).all()
    assert b"token-of-mine" not in repr(row).encode()


def test_a_run_of_an_hour_ago_is_not_begun_any_more(platform, run, monkeypatch):
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    sessions.hand_over_waiting(platform.database, platform.home)
    assert f"run-{run}" not in platform.engine.jobs
    assert waiting(platform) == []


def test_a_command_is_told_where_visitors_are(platform):
    platform.deploy()
    with platform.writing() as uow:
        id = sessions.ask(uow, platform.production, RunRequest(argv=["true"]))
        [act] = uow.once_kept
    act()
    assert platform.engine.specs[f"run-{id}"].url.startswith("http://")
