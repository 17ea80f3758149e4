"""A deploy, from the request to the last drained instance."""

import time

import pytest

from perron import operations, releases, runtime
from perron.kit.problems import Temporary
from perron.releases.workflows import building, seeing
from perron.runtime.controller import Controller


def test_a_first_deploy_goes_live_with_one_instance_of_each_process_type(platform):
    release = platform.deploy(platform.source(procfile="web: run\nworker: work\n"))
    assert (release.number, release.state, release.kind) == (1, "live", "deploy")
    assert platform.running() == [("web", 1, "1.1"), ("worker", 1, "1.1")]
    with platform.reading() as uow:
        assert releases.scale_of(uow, platform.production) == {"web": 1, "worker": 1}


def test_a_second_deploy_replaces_the_first(platform):
    platform.deploy()
    second = platform.deploy(platform.source({"words.txt": "print()\n"}))
    assert platform.states() == {1: "replaced", 2: "live"}
    assert platform.running() == [("web", 2, "2.1")]
    assert second.requests == 0
    assert second.lost == {}


def test_the_same_source_is_not_built_twice(platform):
    source = platform.source()
    first, second = platform.deploy(source), platform.deploy(source)
    assert first.build == second.build
    assert [name for name in platform.engine.jobs if name.startswith("build-")] == [
        f"build-{first.id}"
    ]


def test_a_release_that_crashes_never_replaces_a_good_one(platform):
    platform.deploy()
    before = platform.wish().wish.sets
    source = platform.source({"words.txt": "raise\n"})
    asked = platform.ask(source)
    platform.engine.held.add(f"build-{asked.id}")
    platform.engine.sick = EverythingBut(before[0].build)
    platform.engine.release_jobs()
    ended = platform.ended(asked.operation)
    assert ended.state == "failed"
    assert ended.reason == "web.1 did not become healthy: exited with code 1"
    assert platform.states() == {1: "live", 2: "failed"}
    assert platform.wish().wish.sets == before
    lines = [each.facts for each in platform.said(asked.operation) if "lines" in each.facts]
    assert lines[-1]["instance"] == "web.1"


def test_a_failed_build_names_its_end_and_leaves_no_trace_in_the_wish(platform):
    platform.engine.failing.add("build-")
    ended = platform.ended(platform.ask().operation)
    assert (ended.state, ended.reason) == ("failed", "The build failed: exited with code 1.")
    assert platform.states() == {1: "failed"}
    assert platform.wish() is None or not platform.wish().wish.sets
    [event] = platform.events("perron.release.failed.v1")
    assert event["data"]["reason"] == ended.reason


def test_a_build_that_failed_may_be_tried_again(platform):
    source = platform.source()
    platform.engine.failing.add("build-")
    platform.ended(platform.ask(source).operation)
    platform.engine.failing.clear()
    assert platform.deploy(source).state == "live"


def test_the_release_command_runs_once_before_any_instance_starts(platform):
    platform.engine.held.add("release-")
    asked = platform.ask(platform.source(procfile="web: run\nrelease: migrate\n"))
    job = f"release-{asked.id}"
    platform.until(lambda: job in platform.engine.jobs)
    assert platform.engine.specs[job].command == "migrate"
    assert not platform.wish() or not platform.wish().wish.sets
    platform.engine.release_jobs()
    platform.finish(asked)
    assert [name for name in platform.engine.jobs if name.startswith("release-")] == [job]


def test_a_failed_release_command_leaves_the_old_release_serving(platform):
    platform.deploy()
    platform.engine.failing.add("release-")
    asked = platform.ask(platform.source(procfile="web: run\nrelease: migrate\n"))
    ended = platform.ended(asked.operation)
    assert ended.reason == "The release command failed: exited with code 1: migrate"
    assert platform.states() == {1: "live", 2: "failed"}
    assert platform.running() == [("web", 1, "1.1")]


def test_the_newest_of_three_deploys_wins_and_the_others_say_so(platform):
    platform.engine.held.add("build-")
    sources = [platform.source({"words.txt": f"{n}\n"}) for n in range(3)]
    asked = [platform.ask(source) for source in sources]
    platform.engine.release_jobs()
    platform.finish(asked[2])
    assert platform.states() == {1: "superseded", 2: "superseded", 3: "live"}
    assert platform.ended(asked[0].operation).reason == "Release 2 is newer."
    assert len(platform.events("perron.release.superseded.v1")) == 2


def test_a_newer_deploy_never_kills_the_release_command_of_an_older_one(platform):
    platform.engine.held.add("release-")
    first = platform.ask(platform.source(procfile="web: run\nrelease: migrate\n"))
    job = f"release-{first.id}"
    platform.until(lambda: job in platform.engine.jobs)
    second = platform.ask()
    with platform.reading() as uow:
        platform.until(lambda: operations.get_operation(uow, second.operation).state == "waiting")
    assert platform.engine.jobs[job].state == "running"
    platform.engine.release_jobs()
    platform.finish(second)
    assert platform.states() == {1: "superseded", 2: "live"}


def test_a_person_can_cancel_the_release_command(platform):
    platform.engine.held.add("release-")
    asked = platform.ask(platform.source(procfile="web: run\nrelease: migrate\n"))
    job = f"release-{asked.id}"
    platform.until(lambda: job in platform.engine.jobs)
    with platform.writing() as uow:
        releases.cancel(uow, platform.production)
    ended = platform.ended(asked.operation)
    assert ended.state == "cancelled"
    assert platform.engine.jobs[job].state == "cancelled"
    assert platform.states() == {1: "cancelled"}


def test_provenance_is_kept_as_it_was_given_and_unknown_stays_unknown(platform):
    release = platform.deploy(sha="abc", committed="2026-11-20T10:00:00Z")
    assert release.provenance == {"sha": "abc", "committed": "2026-11-20T10:00:00Z"}
    [asked] = platform.events("perron.release.asked.v1")
    assert asked["data"]["provenance"] == release.provenance
    [live] = platform.events("perron.release.live.v1")
    assert (live["data"]["sha"], live["data"]["before"]) == ("abc", None)
    assert live["correlation"] == release.operation


def test_lost_requests_are_counted_in_the_release(platform):
    platform.engine.counts = platform.engine.counts.model_copy(
        update={"requests": 12, "lost": {"cut": 2}}
    )
    release = platform.deploy()
    assert (release.requests, release.lost) == (12, {"cut": 2})
    [event] = platform.events("perron.release.requests_lost.v1")
    assert event["data"]["lost"] == {"cut": 2}


class EverythingBut(set):
    def __init__(self, build):
        self.build = build

    def __contains__(self, build):
        return build != self.build


def test_time_in_which_the_machine_was_dead_does_not_count(still):
    """A rollout found half way after an outage has its whole time again."""
    with still.writing() as uow:
        wish = releases.refresh(uow, still.production)
    Controller(still.database, still.home).push()
    Controller(still.database, still.home).listen_once()
    key = (still.production.id, wish.generation)
    seeing._answered[key] = time.monotonic() - 3600
    with still.reading() as uow:
        assert seeing.look(uow, still.production).seconds >= 3600
        runtime.sight_of(still.home).at -= 60
        with pytest.raises(Temporary, match="nothing was heard"):
            seeing.look(uow, still.production)
        runtime.sight_of(still.home).at += 60
        assert seeing.look(uow, still.production).seconds < 1


def test_a_release_command_finds_the_volumes_that_the_source_names_for_the_first_time(platform):
    named = {"perron.toml": '[volumes.data]\nmount = "/data"\nsize = "1G"\n'}
    release = platform.deploy(platform.source(named, procfile="web: run\nrelease: migrate\n"))
    [volume] = platform.engine.specs[f"release-{release.id}"].volumes
    assert (volume.name, volume.mount) == ("data", "/data")


def test_a_build_is_asked_for_started_and_finished_once(platform):
    platform.engine.held.add("build-")
    source = platform.source()  # packed once: an archive tells its second
    asked = platform.ask(source)
    platform.until(lambda: platform.events("perron.build.started.v1"))
    building.forget_plans()  # as a server that was killed has
    platform.engine.release_jobs()
    build = platform.finish(asked).build
    for type in ("asked", "started", "finished"):
        [event] = platform.events(f"perron.build.{type}.v1")
        assert event["subject"] == build
    platform.deploy(source)
    assert len(platform.events("perron.build.reused.v1")) == 1
    assert len(platform.events("perron.build.asked.v1")) == 1


def test_a_build_that_the_machine_lost_is_made_again(platform):
    source = platform.source()
    first = platform.deploy(source)
    platform.deploy(platform.source({"words.txt": "other\n"}))
    platform.engine.drop_build(first.build)
    with platform.writing() as uow:
        back = releases.roll_back(uow, platform.production, to=1)
    assert platform.finish(back).build == first.build
    assert f"build-{back.id}" in platform.engine.jobs
    assert any("lost" in each.text for each in platform.said(back.operation))
    assert len(platform.events("perron.build.finished.v1")) == 3
