"""The rules of instances: who begins, who leaves, who gets visitors, how long the fallen wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from perron.agent.instances.model import (
    LONGEST_DELAY,
    RUNNING,
    Begin,
    Instance,
    Leave,
    check_of,
    crashed,
    decide,
    delay,
    is_as_wished,
    is_crash_loop,
    is_well,
    page,
    rotation,
    wanted_places,
)
from perron.contract.node import EnvironmentWish, Exit, HealthCheck, InstanceState, ProcessSet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATES = list(InstanceState)


def a_set(release: int = 1, count: int = 1, process: str = "web", **more: bool) -> ProcessSet:
    return ProcessSet(
        process=process, release=release, revision="r", build="b", command="c", count=count, **more
    )


def wish(*sets: ProcessSet) -> EnvironmentWish:
    return EnvironmentWish(
        environment="e", app="a", team="t", app_name="shop", environment_name="production",
        hosts=[], sets=list(sets),
    )  # fmt: skip


def instance(
    release: int = 1,
    number: int = 1,
    state: InstanceState = InstanceState.HEALTHY,
    process: str = "web",
    rotating: bool | None = None,
) -> Instance:
    in_rotation = process == "web" and state in RUNNING if rotating is None else rotating
    return Instance(
        id=f"{process}{release}.{number}", environment="e", process=process, release=release,
        revision="r", number=number, port=1, state=state, since=NOW, rotating=in_rotation,
    )  # fmt: skip


def test_what_is_missing_begins() -> None:
    one = a_set(count=2)
    assert decide(wish(one), [instance()]) == [Begin(one, 2)]


def test_what_runs_as_wished_is_left_alone() -> None:
    assert decide(wish(a_set(count=2)), [instance(), instance(number=2)]) == []


def test_scaling_down_drains_the_highest_number() -> None:
    assert decide(wish(a_set()), [instance(), instance(number=2)]) == [Leave("web1.2", drain=True)]


def test_nothing_leaves_before_the_wished_ones_are_in_rotation() -> None:
    new = instance(2, state=InstanceState.STARTING)
    assert decide(wish(a_set(2)), [instance(1), new]) == []
    ready = instance(2, rotating=False)
    assert decide(wish(a_set(2)), [instance(1), ready]) == []
    assert decide(wish(a_set(2)), [instance(1), instance(2)]) == [Leave("web1.1", drain=True)]


def test_one_that_keeps_falling_does_not_keep_the_old_release_for_ever() -> None:
    fallen = instance(2, 2, InstanceState.CRASHED)
    here = [instance(1), instance(2), fallen]
    assert decide(wish(a_set(2, 2)), here) == [Leave("web1.1", drain=True)]


def test_when_all_wished_ones_fall_the_old_ones_stay_in_rotation() -> None:
    here = [instance(1), instance(2, state=InstanceState.CRASHED)]
    assert decide(wish(a_set(2)), here) == []
    assert rotation(wish(a_set(2)), here) == {"web1.1"}


def test_when_nothing_is_wished_for_everything_leaves() -> None:
    here = [instance(1), instance(process="worker")]
    left = [Leave("web1.1", drain=True), Leave("worker1.1", drain=False)]
    assert decide(wish(), here) == left


def test_who_has_no_visitors_leaves_at_once() -> None:
    for state in (InstanceState.STARTING, InstanceState.BACKOFF, InstanceState.CRASHED):
        assert decide(wish(), [instance(state=state)]) == [Leave("web1.1", drain=False)]


def test_who_leaves_already_is_not_told_again() -> None:
    for state in (InstanceState.DRAINING, InstanceState.STOPPING):
        assert decide(wish(), [instance(state=state)]) == []


def test_stop_first_waits_until_every_other_release_has_ended() -> None:
    one = a_set(2, stop_first=True)
    assert decide(wish(one), [instance(1)]) == [Leave("web1.1", drain=True)]
    assert decide(wish(one), [instance(1, state=InstanceState.STOPPING)]) == []
    assert decide(wish(one), []) == [Begin(one, 1)]
    worker = instance(process="worker")
    assert decide(wish(one, a_set(process="worker")), [worker]) == [Begin(one, 1)]


def test_a_set_that_does_not_serve_yet_gets_no_visitors() -> None:
    here = [instance(1), instance(2, rotating=False)]
    both = wish(a_set(1), a_set(2, serving=False))
    assert rotation(both, here) == {"web1.1"}
    assert is_as_wished(both, here)
    turned = wish(a_set(1, serving=False), a_set(2))
    assert rotation(turned, here) == {"web1.1", "web2.1"}
    assert not is_as_wished(turned, here)
    after = [instance(1), instance(2)]
    assert rotation(turned, after) == {"web2.1"}


def test_it_is_not_as_wished_while_somebody_is_drained() -> None:
    here = [instance(2), instance(1, state=InstanceState.DRAINING, rotating=False)]
    assert not is_as_wished(wish(a_set(2)), here)
    assert is_as_wished(wish(a_set(2)), here[:1])


def test_the_page_says_why_nobody_answers() -> None:
    assert page(wish(), []) == "empty"
    assert page(wish(a_set()), []) == "starting"
    assert page(wish(a_set()), [instance(state=InstanceState.STARTING)]) == "starting"
    assert page(wish(a_set()), [instance(state=InstanceState.BACKOFF)]) == "crashed"
    assert page(wish(a_set(process="worker")), []) == "empty"


@given(
    some.lists(
        some.tuples(
            some.integers(1, 3), some.integers(1, 3), some.sampled_from(STATES), some.booleans()
        ),
        max_size=8,
        unique_by=lambda each: each[:2],
    ),
    some.integers(1, 3),
    some.integers(1, 3),
)
def test_visitors_are_never_left_alone_by_a_decision(
    known: list[tuple[int, int, InstanceState, bool]], release: int, count: int
) -> None:
    """Whatever runs: who is led to stays led to, until a wished one is in rotation."""
    here = [
        instance(made, number, state, rotating=rotating and state in RUNNING)
        for made, number, state, rotating in known
    ]
    wanted = wish(a_set(release, count))
    leaving = {each.instance for each in decide(wanted, here) if isinstance(each, Leave)}
    before = {each.id for each in here if each.rotating}
    places = wanted_places(wanted)
    relieved = any(each.rotating for each in here if each.place in places)
    assert not before or before - leaving
    assert relieved or not (before & leaving)


@given(some.integers(1, 40))
def test_the_wait_grows_and_has_an_end(falls: int) -> None:
    fallen = replace(instance(), streak=falls)
    assert 0.5 <= delay(fallen) <= LONGEST_DELAY
    assert delay(fallen) <= delay(replace(fallen, streak=falls + 1))


def test_three_falls_in_five_minutes_are_a_loop_and_calm_ends_the_streak() -> None:
    ending = Exit(at=NOW, code=1, text="exited with code 1")
    one = replace(instance(), started=NOW)
    for second in range(3):
        one = crashed(replace(one, started=NOW), ending, NOW + timedelta(seconds=second))
    assert one.state == InstanceState.CRASHED
    assert (one.restarts, one.streak) == (3, 3)
    assert is_crash_loop(one, NOW + timedelta(seconds=3))
    assert not is_crash_loop(one, NOW + timedelta(minutes=10))
    later = NOW + timedelta(minutes=10)
    calm = crashed(replace(one, started=NOW), ending, later)
    assert (calm.state, calm.streak) == (InstanceState.BACKOFF, 1)


def test_only_a_named_path_asks_for_more_than_no_server_error() -> None:
    assert is_well(404, strict=False)
    assert not is_well(500, strict=False)
    assert is_well(302, strict=True)
    assert not is_well(404, strict=True)


def test_who_has_no_port_is_well_when_it_stays_up() -> None:
    assert check_of(a_set()).kind == "http"
    assert check_of(a_set(process="worker")).kind == "up"
    up = a_set().model_copy(update={"health": HealthCheck(kind="up")})
    assert check_of(up).kind == "up"
