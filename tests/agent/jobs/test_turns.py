"""Whose build is next: teams take turns, and each hears how many are before it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from perron.agent.jobs.model import Job, ahead_of, next_builds
from perron.contract.node import JobKind, JobSpec

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def job(number, team):
    spec = JobSpec(
        kind=JobKind.BUILD, environment="e", app="a", team=team, app_name="a", environment_name="e"
    )
    return Job(f"build-{team}-{number}", spec, NOON + timedelta(seconds=number))


def teams(jobs):
    return [each.spec.team for each in jobs]


def test_ten_builds_of_one_team_do_not_starve_another():
    queued = [job(number, "blue") for number in range(10)] + [job(99, "red")]
    assert teams(next_builds(queued, [], [], at_once=2)) == ["blue", "red"]


def test_a_team_whose_build_runs_waits_for_the_others():
    queued = [job(1, "blue"), job(2, "red")]
    assert teams(next_builds(queued, [job(0, "blue")], ["blue"], at_once=2)) == ["red"]


def test_within_a_team_the_oldest_is_first():
    queued = [job(3, "blue"), job(1, "blue"), job(2, "blue")]
    chosen = next_builds(queued, [], [], at_once=3)
    assert [each.name for each in chosen] == ["build-blue-1", "build-blue-2", "build-blue-3"]


def test_a_build_hears_how_many_of_whom_are_ahead():
    queued = [job(number, "blue") for number in range(4)] + [job(9, "red")]
    running = [job(100, "green")]
    assert ahead_of("build-blue-0", queued, running, ["green"]) == (0, 0)
    assert ahead_of("build-red-9", queued, running, ["green"]) == (0, 1)
    assert ahead_of("build-blue-3", queued, running, ["green"]) == (3, 1)


@given(
    st.lists(st.sampled_from(["blue", "red", "green"]), max_size=12),
    st.integers(1, 4),
)
def test_no_team_waits_while_another_has_two_places_more(asked, at_once):
    queued = [job(number, team) for number, team in enumerate(asked)]
    chosen = teams(next_builds(queued, [], [], at_once=at_once))
    assert len(chosen) == min(at_once, len(asked))
    waiting = set(asked) - {team for team in asked if chosen.count(team) == asked.count(team)}
    for team in waiting:
        assert max(chosen.count(each) for each in set(asked)) <= chosen.count(team) + 1
