"""Releases and the team's quotas: what does not fit never starts, and what runs goes on."""

import pytest

from perron import quotas, releases
from perron.quotas.service import change


def limit(platform, **bounds):
    with platform.writing() as uow:
        change(uow, platform.shop.team, bounds)


def held(platform):
    from perron.quotas.service import used

    with platform.reading() as uow:
        return {name: used(uow, platform.shop.team, name) for name in ("instances", "cpu")}


def scale(platform, **counts):
    with platform.writing() as uow:
        operation = releases.scale(uow, platform.production, counts)
    return platform.ended(operation.id)


def test_what_runs_is_held_and_let_go_when_it_is_stopped(platform):
    platform.deploy(platform.source(procfile="web: run\nworker: work\n"))
    assert held(platform) == {"instances": 2, "cpu": 2}
    scale(platform, web=3)
    assert held(platform)["instances"] == 4
    with platform.writing() as uow:
        releases.stop(uow, platform.production)
    assert held(platform)["instances"] == 0


def test_a_scale_that_does_not_fit_is_refused_and_changes_nothing(platform):
    platform.deploy()
    limit(platform, instances=2)
    with pytest.raises(quotas.QuotaExceeded) as no, platform.writing() as uow:
        releases.scale(uow, platform.production, {"web": 3})
    assert "has 1, and this needs 2 more" in str(no.value)
    with platform.reading() as uow:
        assert releases.scale_of(uow, platform.production) == {"web": 1}
    assert scale(platform, web=2).state == "done"


def test_a_rollout_at_the_bound_still_goes_through(platform):
    limit(platform, instances=1)
    platform.deploy()
    assert platform.deploy(platform.source({"words.txt": "print()\n"})).state == "live"
    assert held(platform)["instances"] == 1


def test_a_release_that_does_not_fit_fails_before_anything_of_it_runs(platform):
    limit(platform, instances=1)
    procfile = "web: run\nworker: work\nrelease: migrate\n"
    ended = platform.ended(platform.ask(platform.source(procfile=procfile)).operation)
    assert ended.state == "failed"
    assert "may have 1 (instances)" in ended.reason
    assert not [name for name in platform.engine.jobs if name.startswith("release-")]
    assert platform.wish() is None or platform.wish().wish.sets == []


def test_a_build_is_refused_when_the_minutes_are_used_up(platform):
    limit(platform, build_minutes_day=0)
    ended = platform.ended(platform.ask().operation)
    assert ended.state == "failed"
    assert "build minutes of today" in ended.reason
    assert platform.engine.jobs == {}


def test_what_is_built_already_needs_no_minutes(platform):
    source = platform.source()
    platform.deploy(source)
    limit(platform, build_minutes_day=0)
    assert platform.deploy(source).state == "live"


def test_starting_again_must_fit(platform):
    platform.deploy()
    scale(platform, web=3)
    with platform.writing() as uow:
        stopped = releases.stop(uow, platform.production)
    platform.ended(stopped.id)
    limit(platform, instances=2)
    with pytest.raises(quotas.QuotaExceeded), platform.writing() as uow:
        releases.start(uow, platform.production)
    limit(platform, instances=3)
    with platform.writing() as uow:
        started, _ = releases.start(uow, platform.production)
    assert platform.ended(started.id).state == "done"


def test_a_bound_below_what_runs_takes_nothing_away(platform):
    platform.deploy()
    scale(platform, web=3)
    limit(platform, instances=1)
    assert scale(platform, web=2).state == "done"
    assert platform.deploy(platform.source({"words.txt": "print()\n"})).state == "live"
