"""What follows from a wish and from what is seen of it."""

from datetime import UTC, datetime, timedelta

from perron.contract.node import EnvironmentReport, Exit, InstanceReport, InstanceState, Report
from perron.runtime.engines.node import merged
from perron.runtime.model import Sighting, Wish, is_as_wished, news, surplus
from perron.runtime.testing import wish

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def instance(**changed):
    facts = {
        "id": "ins_1",
        "name": "worker.1",
        "environment": "env_a",
        "process": "worker",
        "release": 1,
        "revision": "1.1",
        "state": InstanceState.HEALTHY,
        "since": NOON,
    }
    return InstanceReport(**facts | changed)


def report(*instances, generation=1):
    return EnvironmentReport(
        environment="env_a", generation=generation, instances=list(instances), routed=True
    )


ONE = Wish("env_a", 1, wish("env_a", build="b", command="run"))


def test_a_wish_is_true_only_when_what_is_seen_answers_it():
    assert is_as_wished(report(instance()), ONE)
    later = Wish("env_a", 2, ONE.wish)
    assert not is_as_wished(report(instance()), later)
    assert is_as_wished(report(instance(), generation=2), later)


def test_what_nobody_saw_is_not_true():
    assert not is_as_wished(None, ONE)
    assert not is_as_wished(report(), ONE)


def test_an_instance_too_many_is_not_as_wished():
    leaving = instance(id="ins_2", state=InstanceState.DRAINING)
    older = instance(id="ins_3", revision="0.1")
    assert not is_as_wished(report(instance(), leaving), ONE)
    assert not is_as_wished(report(instance(), older), ONE)
    assert surplus(report(instance(), leaving, older), ONE.wish) == [leaving, older]


def test_an_instance_that_is_not_well_is_not_as_wished():
    assert not is_as_wished(report(instance(state=InstanceState.UNHEALTHY)), ONE)


def test_a_crash_is_told_once():
    crashed = instance(last_exit=Exit(at=NOON, code=3, text="exited with code 3"), restarts=1)
    told, remembered = news({}, report(crashed))
    assert [type(what).__name__ for _, what in told] == ["InstanceCrashed", "InstanceRestarted"]
    assert news({each.instance: each for each in remembered}, report(crashed)) == ([], [])


def test_a_second_crash_is_told_again():
    known = {"ins_1": Sighting("ins_1", "env_a", NOON, 1)}
    again = Exit(at=NOON + timedelta(minutes=1), code=1, text="exited with code 1")
    told, _ = news(known, report(instance(last_exit=again, restarts=1)))
    assert len(told) == 1


def test_running_out_of_memory_is_an_event_of_its_own():
    ended = Exit(at=NOON, signal="SIGKILL", out_of_memory=True, text="out of memory")
    told, _ = news({}, report(instance(last_exit=ended)))
    assert [type(what).__name__ for _, what in told] == ["InstanceOutOfMemory", "InstanceCrashed"]


def test_a_partial_report_keeps_what_it_does_not_name_and_parked_ones_their_generation():
    def place(name, generation, **more):
        return EnvironmentReport(
            environment=name, generation=generation, instances=[], routed=True, **more
        )

    before = Report(
        node="n", generation=4, sequence=10,
        environments=[place("a", 4), place("b", 3, parked=True), place("c", 4)],
    )  # fmt: skip
    partial = Report(
        node="n", generation=5, sequence=12, partial=True,
        environments=[place("c", 5, message="news"), place("d", 5)],
    )  # fmt: skip
    whole = merged(before, partial)
    assert not whole.partial
    assert whole.sequence == 12
    assert [(each.environment, each.generation) for each in whole.environments] == [
        ("a", 5), ("b", 3), ("c", 5), ("d", 5),
    ]  # fmt: skip
    assert whole.environments[2].message == "news"
