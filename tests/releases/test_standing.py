"""What is live: scaled, restarted, stopped, started, configured and gone back from."""

import pytest

from perron import operations, releases
from perron.kit.problems import Conflict, NotFound
from perron.releases.model.release import RequestRefused


def do(platform, verb, *given, **named):
    with platform.writing() as uow:
        return verb(uow, platform.production, *given, **named)


def test_scale_is_followed_until_it_is_so_and_outlives_releases(platform):
    platform.deploy()
    operation = do(platform, releases.scale, {"web": 3})
    assert platform.ended(operation.id).state == "done"
    assert len(platform.running()) == 3
    platform.deploy(platform.source({"words.txt": "2"}))
    assert len(platform.running()) == 3
    [event] = platform.events("perron.scale.changed.v1")
    assert event["data"] == {"before": {"web": 1}, "after": {"web": 3}}


def test_a_process_type_that_does_not_exist_cannot_be_scaled(platform):
    platform.deploy()
    with pytest.raises(RequestRefused, match="no process type 'wbe'; there are: web"):
        do(platform, releases.scale, {"wbe": 1})


def test_the_same_scale_again_needs_no_work(platform):
    platform.deploy()
    assert do(platform, releases.scale, {"web": 1}) is None


def test_a_restart_brings_in_new_instances_of_the_same_release(platform):
    platform.deploy()
    operation = do(platform, releases.restart)
    assert platform.ended(operation.id).state == "done"
    assert platform.running() == [("web", 1, "1.2")]
    assert platform.states() == {1: "live"}


def test_a_restart_that_goes_wrong_leaves_the_old_instances(platform):
    release = platform.deploy()
    platform.engine.sick.add(release.build)
    ended = platform.ended(do(platform, releases.restart).id)
    assert ended.state == "failed"
    platform.until(lambda: platform.running() == [("web", 1, "1.1")])
    assert platform.wish().wish.sets[0].serving


def test_a_deploy_supersedes_a_restart(platform):
    release = platform.deploy()
    platform.engine.sick.add(release.build)
    restart = do(platform, releases.restart)
    newer = platform.deploy(platform.source({"words.txt": "2"}))
    assert platform.ended(restart.id).state in ("superseded", "failed")
    assert newer.state == "live"
    assert platform.running() == [("web", 2, "2.1")]


def test_what_is_stopped_says_so_and_starts_again(platform):
    platform.deploy()
    assert platform.ended(do(platform, releases.stop).id).state == "done"
    assert platform.running() == []
    assert platform.wish().wish.page == "stopped"
    operation, release = do(platform, releases.start)
    assert platform.ended(operation.id).state == "done"
    assert release is None
    assert platform.running() == [("web", 1, "1.1")]


def test_what_was_configured_while_stopped_becomes_a_release_at_the_start(platform):
    platform.deploy()
    platform.ended(do(platform, releases.stop).id)
    assert platform.set_config(COLOUR="blue") is None
    _, release = do(platform, releases.start)
    platform.finish(release)
    assert (platform.states(), platform.told()) == ({1: "replaced", 2: "live"}, {"COLOUR": "blue"})


def test_a_deploy_starts_what_was_stopped(platform):
    platform.deploy()
    platform.ended(do(platform, releases.stop).id)
    platform.deploy(platform.source({"words.txt": "2"}))
    assert platform.running() == [("web", 2, "2.1")]


def test_nothing_can_be_restarted_before_something_is_live(platform):
    with pytest.raises(Conflict, match="first: perron deploy"):
        do(platform, releases.restart)


def test_a_changed_configuration_releases_the_same_build_again(platform):
    first = platform.deploy()
    second = platform.finish(platform.set_config(COLOUR="blue"))
    assert (second.kind, second.build, second.number) == ("config", first.build, 2)
    assert platform.told() == {"COLOUR": "blue"}
    assert len([name for name in platform.engine.jobs if name.startswith("build-")]) == 1


def test_a_value_that_builds_see_makes_another_build(platform):
    first = platform.deploy()
    second = platform.finish(platform.set_config(KEY="x", build=True))
    assert second.build != first.build


def test_configuration_without_a_release_waits_for_one(platform):
    assert platform.set_config(COLOUR="blue") is None
    platform.deploy()
    assert platform.told() == {"COLOUR": "blue"}


def test_a_rollback_takes_build_and_plain_values_back_and_leaves_rotated_secrets(platform):
    platform.set_config(COLOUR="blue")
    platform.set_config(TOKEN="old", secret=True)
    first = platform.deploy()
    platform.finish(platform.set_config(COLOUR="green"))
    platform.finish(platform.set_config(TOKEN="new", secret=True))
    platform.deploy(platform.source({"words.txt": "2"}))
    back = platform.finish(do(platform, releases.roll_back, to=1))
    assert (back.number, back.kind, back.rolled_back_to, back.build) == (
        5, "rollback", 1, first.build,
    )  # fmt: skip
    assert platform.told() == platform.values() == {"COLOUR": "blue", "TOKEN": "new"}
    [event] = platform.events("perron.release.rolled_back.v1")
    assert event["data"] == {"number": 5, "to": 1, "live": 4}


def test_without_a_number_a_rollback_goes_to_what_was_live_before(platform):
    first = platform.deploy()
    platform.deploy(platform.source({"words.txt": "2"}))
    back = platform.finish(do(platform, releases.roll_back, to=None))
    assert (back.rolled_back_to, back.build) == (1, first.build)


def test_there_may_be_nothing_to_go_back_to(platform):
    platform.deploy()
    with pytest.raises(Conflict, match="nothing to go back to"):
        do(platform, releases.roll_back, to=None)
    with pytest.raises(NotFound, match="no release 9"):
        do(platform, releases.roll_back, to=9)
    with pytest.raises(Conflict, match="live now"):
        do(platform, releases.roll_back, to=1)


def test_a_source_that_says_stop_first_never_runs_beside_itself(platform):
    toml = '[process.web]\ncommand = "run"\nrollout = "stop-first"\n'
    platform.deploy(platform.source({"perron.toml": toml}))
    asked = platform.ask(platform.source({"perron.toml": toml, "words.txt": "2"}))
    platform.finish(asked)
    assert platform.running() == [("web", 2, "2.1")]
    assert platform.wish().wish.sets[0].stop_first


def test_a_crash_is_written_down_once(platform):
    platform.deploy()
    platform.engine.crash(platform.production.id)
    platform.until(lambda: platform.events("perron.instance.crashed.v1"))
    platform.deploy(platform.source({"words.txt": "2"}))
    [event] = platform.events("perron.instance.crashed.v1")
    assert event["data"]["name"] == "web.1"
    assert event["team"] == platform.production.team
    assert len(platform.events("perron.instance.restarted.v1")) == 1


def test_cancelling_what_is_not_on_its_way_is_refused(platform):
    platform.deploy()
    with pytest.raises(Conflict, match="nothing to cancel"):
        do(platform, releases.cancel)


def test_cancelling_a_build_stops_it_and_what_was_live_stays(platform):
    platform.deploy()
    platform.engine.held.add("build-")
    asked = platform.ask(platform.source({"words.txt": "2"}))
    job = f"build-{asked.id}"
    platform.until(lambda: job in platform.engine.jobs)
    do(platform, releases.cancel)
    assert platform.ended(asked.operation).state == "cancelled"
    assert platform.engine.jobs[job].state == "cancelled"
    assert platform.states() == {1: "live", 2: "cancelled"}


def test_destroying_an_app_leaves_nothing_but_its_events(platform):
    from perron import catalog, config, runtime

    platform.deploy()
    platform.set_config(COLOUR="blue")
    with platform.writing() as uow:
        operation = releases.destroy_app(uow, platform.shop)
        assert releases.destroy_app(uow, platform.shop).id == operation.id
    assert platform.ended(operation.id).state == "done"
    with platform.reading() as uow:
        with pytest.raises(NotFound):
            catalog.get_app(uow, "shop")
        assert runtime.find_wish(uow, platform.production.id) is None
        assert config.values(uow, platform.production) == {}
    assert not platform.engine.report().environments
    assert platform.states() == {}
    assert platform.events("perron.app.destroyed.v1")
    assert platform.events("perron.release.live.v1")


def test_an_app_can_be_destroyed_in_the_middle_of_a_deploy(platform):
    platform.deploy()
    platform.engine.held.add("build-")
    asked = platform.ask(platform.source({"words.txt": "2"}))
    with platform.writing() as uow:
        operation = releases.destroy_app(uow, platform.shop)
    assert platform.ended(operation.id).state == "done"
    assert platform.ended(asked.operation).state == "cancelled"
    assert not platform.engine.report().environments


def test_another_environment_gets_the_same_build_with_its_own_configuration(platform):
    from perron import catalog

    platform.set_config(COLOUR="blue")
    first = platform.deploy()
    with platform.writing() as uow:
        staging = catalog.add_environment(uow, platform.shop, "staging")
        asked = releases.deploy_release(uow, staging, platform.find(first), provenance={})
    copy = platform.finish(asked)
    assert (copy.build, copy.number) == (first.build, 1)
    assert platform.wish(staging).wish.sets[0].env == {}
    assert len([name for name in platform.engine.jobs if name.startswith("build-")]) == 1


def test_of_two_scales_the_newest_is_followed(platform):
    platform.deploy()
    with platform.writing() as uow:
        first = releases.scale(uow, platform.production, {"web": 5})
        second = releases.scale(uow, platform.production, {"web": 2})
        assert operations.get_operation(uow, first.id).state == "superseded"
    assert platform.ended(second.id).state == "done"
    assert len(platform.running()) == 2
