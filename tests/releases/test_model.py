"""The rules of numbering, going back, pruning, comparing and sharing an environment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.contract.node import ProcessSet
from perron.releases.model.editions import (
    DRAINING,
    SERVING,
    STARTING,
    Edition,
    Process,
    defaults,
    sets_of,
)
from perron.releases.model.progress import queueing
from perron.releases.model.release import (
    DeployRefused,
    Release,
    ReleaseNotFound,
    commits_between,
    compare,
    live,
    needed,
    target_of_rollback,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def release(number, state="replaced", **changed):
    made = Release(
        id=f"rel_{number}",
        environment="env",
        number=number,
        kind="deploy",
        source="s",
        root=".",
        config="c",
        config_keys=[],
        provenance={},
        asked_at=NOON + timedelta(minutes=number),
        by="per_1",
        state=state,
        live_at=NOON + timedelta(minutes=number) if state in ("live", "replaced") else None,
    )
    return replace(made, **changed)


def test_going_back_finds_what_was_live_before():
    history = [release(1), release(2), release(3, "failed"), release(4, "live")]
    assert target_of_rollback(history, None).number == 2
    assert target_of_rollback(history, 1).number == 1


def test_going_back_twice_goes_on_to_what_was_live_longest_ago_last():
    history = [release(1), release(2), release(3, "live", kind="rollback", rolled_back_to=1)]
    assert target_of_rollback(history, None).number == 2


@pytest.mark.parametrize(("to", "why"), [(3, "never live"), (4, "live now"), (9, "no release 9")])
def test_some_releases_cannot_be_gone_back_to(to, why):
    history = [release(1), release(3, "failed"), release(4, "live")]
    with pytest.raises((DeployRefused, ReleaseNotFound), match=why):
        target_of_rollback(history, to)


@given(st.lists(st.sampled_from(["replaced", "failed", "superseded"]), max_size=40))
def test_nothing_a_rollback_of_the_last_ten_needs_is_pruned(states):
    history = [release(n, state) for n, state in enumerate(states, 1)]
    history.append(release(len(history) + 1, "live"))
    kept = needed(history, keep=10)
    worked = [each for each in history if each.live_at]
    assert live(history) in kept
    assert all(each in kept for each in worked[-10:])
    assert len(kept) <= 10


def test_what_is_on_its_way_is_never_pruned():
    coming = release(12, "asked")
    assert coming in needed([*(release(n) for n in range(1, 12)), coming], keep=3)


def test_a_comparison_names_builds_commands_and_settings():
    web = {"command": "run", "memory": None}
    before = release(1, build="b1", manifest={"processes": {"web": web}, "connect": []})
    other = {"web": web | {"memory": 5}, "worker": {"command": "work"}}
    after = release(2, build="b2", manifest={"processes": other, "connect": [9]})
    found = compare(before, after)
    assert found.build == ["b1", "b2"]
    assert found.processes == {"worker": [None, "work"]}
    assert found.settings == {"process.web.memory": [None, 5], "connect": [[], [9]]}


def test_commits_between_two_releases_are_those_that_came_after_the_first():
    commits = [{"sha": "a"}, {"sha": "b"}]
    history = [release(1), release(2, provenance={"commits": commits}), release(3, kind="config")]
    assert commits_between(history, 1, 3) == commits
    assert commits_between(history, 3, 1) == commits


def test_commits_are_unknown_when_one_release_does_not_know():
    history = [release(1), release(2), release(3, provenance={"commits": []})]
    assert commits_between(history, 1, 3) is None
    assert commits_between(history, 2, 3) == []


def edition(number, phase, revision=1):
    return Edition("env", f"rel_{number}", number, revision, phase, NOON)


def process(*, stop_first=False):
    one = ProcessSet(process="", release=0, revision="", build="b", command="c", count=1)
    return Process(one, stop_first)


def sets(*editions, stopped=False, **scale):
    found = sets_of(editions, scale=scale, stopped=stopped, volumes=[])
    return {(each.process, each.revision): (each.count, each.serving) for each in found}


def test_a_new_edition_starts_beside_the_old_one_and_does_not_serve_yet():
    old, new = (edition(1, SERVING), {"web": process()}), (edition(2, STARTING), {"web": process()})
    assert sets(old, new, web=2) == {("web", "1.1"): (2, True), ("web", "2.1"): (2, False)}


def test_when_visitors_move_the_old_edition_stays_without_serving():
    old, new = (edition(1, DRAINING), {"web": process()}), (edition(2, SERVING), {"web": process()})
    assert sets(old, new) == {("web", "1.1"): (1, False), ("web", "2.1"): (1, True)}


@pytest.mark.parametrize("phases", [(SERVING, STARTING), (DRAINING, SERVING)])
@pytest.mark.parametrize("flags", [(True, True), (False, True), (True, False)])
def test_what_must_never_run_twice_gives_way_at_once(phases, flags):
    old = (edition(1, phases[0]), {"web": process(stop_first=flags[0])})
    new = (edition(2, phases[1]), {"web": process(stop_first=flags[1])})
    assert [name for name in sets(old, new)] == [("web", "2.1")]


def test_a_stopped_environment_wishes_for_nothing_but_what_starts():
    old = (edition(1, SERVING), {"web": process()})
    assert sets(old, stopped=True) == {}
    new = (edition(2, STARTING), {"web": process()})
    assert list(sets(old, new, stopped=True)) == [("web", "2.1")]


def test_process_types_nobody_scaled_have_one_instance():
    assert defaults(["web", "worker"], {"web": 3}) == {"worker": 1}


@pytest.mark.parametrize(
    ("own", "others", "told"),
    [
        (0, 0, "Waiting to build: it is next."),
        (0, 1, "Waiting to build: 1 build is ahead (1 of other teams); teams take turns."),
        (2, 1, "Waiting to build: 3 builds are ahead (1 of other teams, 2 of your team); "
               "teams take turns."),
    ],
)  # fmt: skip
def test_a_build_that_waits_says_who_is_ahead(own, others, told):
    assert queueing(own, others) == told
