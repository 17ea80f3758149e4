"""The chain as a rule: the same events give the same links, and nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from perron.audit.model import (
    GENESIS,
    Fault,
    Head,
    Link,
    Walk,
    abandoned,
    binding,
    break_at,
    chained,
    change_of,
    cut_after,
    fault_in_heads,
    links_after,
)
from perron.kit.spine import Event

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(position, **told):
    return Event(
        position, f"evt_{position}", "perron.app.added.v1", "perron.catalog", "app_1", NOON, NOON,
        "per_1", "person", "team_1", "app_1", None, None, told or {"name": "shop"}, None,
    )  # fmt: skip


def head(position, chain="c", **more):
    told = {"kind": "head", "at": NOON.isoformat(), "previous": "", "key": "k"}
    return Head(**{**told, "position": position, "chain": chain, **more})


def walked(events, links, promised=None):
    walk = Walk(promised or {}, max((link.position for link in links), default=0))
    there = {each.position: each for each in events}, {each.position: each for each in links}
    faults = [
        walk.step(at, there[0].get(at), there[1].get(at))
        for at in sorted(there[0].keys() | there[1].keys())
    ]
    return walk, [fault for fault in faults if fault]


@given(st.lists(st.dictionaries(st.text(), st.text()), max_size=8), st.integers(0, 8))
def test_however_the_events_come_the_links_are_the_same(all_told, cut):
    events = [event(at, **{"told": told}) for at, told in enumerate(all_told, start=1)]
    at_once = list(links_after(None, events))
    first = list(links_after(None, events[:cut]))
    rest = list(links_after(first[-1] if first else None, events[cut:]))
    assert first + rest == at_once


@given(st.integers(1, 9), st.text(min_size=1))
def test_no_event_can_be_changed_unseen(which, text):
    events = [event(at) for at in range(1, 10)]
    links = list(links_after(None, events))
    changed = [replace(each, data={"name": text + "!"}) for each in events]
    there = [*events[: which - 1], changed[which - 1], *events[which:]]
    assert [fault.position for fault in walked(there, links)[1]] == [which]


def test_what_was_never_touched_has_no_fault():
    events = [event(at) for at in (1, 2, 5)]
    walk, faults = walked(events, list(links_after(None, events)))
    assert (faults, walk.checked, walk.waiting) == ([], 3, 0)


def test_an_event_that_was_taken_out_is_named():
    events = [event(at) for at in (1, 2, 3)]
    links = list(links_after(None, events))
    _, faults = walked([events[0], events[2]], links)
    assert [(fault.kind, fault.position) for fault in faults] == [("missing", 2)]


def test_an_event_taken_out_with_its_link_is_missed_by_the_next():
    events = [event(at) for at in (1, 2, 3)]
    links = list(links_after(None, events))
    _, faults = walked([events[0], events[2]], [links[0], links[2]])
    assert [(fault.kind, fault.position) for fault in faults] == [("chain", 3)]


def test_an_event_that_was_slipped_in_is_named():
    events = [event(at) for at in (1, 3)]
    _, faults = walked([event(2), *events], list(links_after(None, events)))
    assert [(fault.kind, fault.position) for fault in faults] == [("added", 2)]


def test_events_after_the_chain_wait_for_their_links():
    events = [event(at) for at in (1, 2, 3)]
    walk, faults = walked(events, list(links_after(None, events[:2])))
    assert (faults, walk.checked, walk.waiting) == ([], 2, 1)


def test_a_chain_made_anew_over_a_change_does_not_fit_the_head():
    events = [event(at) for at in (1, 2, 3, 4)]
    promised = {link.position: link.chain for link in links_after(None, events)}
    changed = [events[0], events[1], event(3, name="evil"), events[3]]
    links = list(links_after(None, changed))
    _, faults = walked(changed, links, {2: promised[2], 4: promised[4]})
    assert [(fault.kind, fault.position) for fault in faults] == [("rewritten", 3)]


def test_a_restart_keeps_only_the_promises_before_it():
    heads = [head(2, "b"), head(9, "z"), head(4, "d", kind="restart"), head(6, "f")]
    assert binding(heads) == {2: "b", 4: "d", 6: "f"}
    assert binding([head(0, GENESIS, kind="restart")]) == {}


def test_a_head_beyond_the_end_says_what_is_gone():
    assert cut_after(9, head(9)) is None
    fault = cut_after(7, head(9))
    assert (fault.kind, fault.position) == ("cut", 8)


def test_the_chain_goes_on_only_from_its_head():
    there = Link(9, "x", "c")
    assert break_at(head(9), there, there) is None
    assert break_at(head(9), Link(12, "x", "e"), there) is None
    assert break_at(head(9), None, None).kind == "cut"
    assert break_at(head(9), Link(12, "x", "e"), Link(9, "x", "other")).kind == "rewritten"
    assert break_at(head(0, GENESIS), None, None) is None


def test_heads_follow_each_other_and_are_ours():
    first = head(1)
    second = head(2, previous=first.digest)
    third = head(3, previous=second.digest)
    assert fault_in_heads([first, second, third], [True] * 3) is None
    assert fault_in_heads([first, third], [True] * 2).text == "Before head 2, one was taken out."
    assert fault_in_heads([first, second], [True, False]).kind == "head"


def test_a_head_that_was_given_up_says_why():
    kept = head(9)
    restarted = head(5, kind="restart", why="Restored.", at=NOON.isoformat())
    assert abandoned(kept, [kept]) is None
    assert abandoned(kept, [kept, restarted]) == Fault(
        "restarted", 6, "Events 6 to 9 were given up: Restored."
    )


def test_a_chain_value_is_bound_to_its_position():
    assert chained(GENESIS, 1, "d") != chained(GENESIS, 2, "d")


def test_before_and_after_are_told_as_far_as_they_are_known():
    assert change_of({"before": {"web": 1}, "after": {"web": 2}}) == ({"web": 1}, {"web": 2})
    assert change_of({"before": "shop", "name": "store"}) == ("shop", "store")
    assert change_of({"before": 3}) == (3, None)
    assert change_of({"set": ["KEY"]}) == (None, None)
