"""What was done long ago is forgotten; releases, events and what is under way are not."""

from datetime import timedelta

import pytest

from perron import operations
from perron.kit import clock, once
from perron.operations import store as journal
from perron.releases.service import pruning

OLD = timedelta(days=31)


@pytest.fixture
def later(platform, monkeypatch):
    """Half an hour of work, then a month that passes at once."""

    def later(by=OLD):
        now = clock.now() + by
        monkeypatch.setattr(clock, "now", lambda: now)

    return later


def start(platform, **values):
    """Put an operation of another kind into the journal, with a step and a line."""
    with platform.writing() as uow:
        made = operations.start(
            uow, "test.nothing", subject="-", lock="-", team=platform.production.team
        )
        journal.lay_out(uow, made.id, ["one"])
        journal.say(uow, made.id, "one", "said", {})
        ended = {"state": "done", "finished_at": clock.now(), "settled": True}
        journal.update(uow, made, **(ended | values))
    return made.id


def known(platform, id):
    with platform.reading() as uow:
        return journal.find(uow, id), journal.marks(uow, id), journal.said(uow, id)


def test_old_work_is_forgotten_with_its_steps_and_lines(still, later):
    id = start(still)
    assert pruning.prune_journal(still.database) == 0
    later()
    assert pruning.prune_journal(still.database) == 1
    assert known(still, id) == (None, {}, [])


@pytest.mark.parametrize(
    "values",
    [
        {"state": "parked"},
        {"state": "running", "finished_at": None},
        {"state": "waiting", "finished_at": None},
        {"state": "cancelled", "settled": False},
    ],
    ids=lambda values: values["state"],
)
def test_what_is_not_over_stays(still, later, values):
    id = start(still, **values)
    later()
    assert pruning.prune_journal(still.database) == 0
    assert known(still, id)[2]


def test_a_release_keeps_its_operation_and_steps_and_says_how_it_went(platform, later):
    live = platform.deploy()
    events = len(platform.events("perron.release.live.v1"))
    platform.end()
    later()
    pruning.prune_journal(platform.database)
    operation, marks, said = known(platform, live.operation)
    assert (operation.state, said) == ("done", [])
    assert set(marks) >= {"build", "start", "live"}
    found = platform.find(live)
    assert (found.state, found.lost, found.requests) == ("live", live.lost, live.requests)
    assert len(platform.events("perron.release.live.v1")) == events


def test_many_are_forgotten_a_few_at_a_time(still, later, monkeypatch):
    monkeypatch.setattr(operations.service, "PRUNED_AT_ONCE", 3)
    for _ in range(10):
        start(still)
    later()
    assert pruning.prune_journal(still.database) == 10


def test_answers_to_repeated_requests_are_kept_for_a_day(still, later):
    asked = once.Asked("per_1", "k1", "digest")
    with still.writing() as uow:
        once.keep(uow, asked, status=201, body=b"{}", media_type=None)
    pruning.prune_journal(still.database)
    with still.reading() as uow, pytest.raises(once.Recalled):
        once.recall(uow, asked)
    later(timedelta(hours=25))
    pruning.prune_journal(still.database)
    with still.reading() as uow:
        assert uow.connection.execute(once.answers.select()).all() == []
