"""The spine: in order, once, never edited; readers that can be made anew."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from perron.kit import clock, spine
from perron.kit.db import open_database, reading, unit_of_work
from perron.kit.spine import Place
from perron.kit.tables import metadata

own = MetaData()
counts = Table("seen", own, Column("id", Integer, primary_key=True), Column("name", String))
HERE = Place("team_1", "app_1", "env_1")


@dataclass(frozen=True)
class CakeBaked:
    """A cake was baked."""

    type: ClassVar[str] = "test.cake.baked.v1"
    name: str


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'perron.db'}")
    metadata.create_all(database)
    own.create_all(database)
    yield database
    database.dispose()


def bake(database, *names):
    for name in names:
        with unit_of_work(
            database, actor="per_ada", actor_kind="person", correlation="op_1"
        ) as uow:
            spine.record(uow, CakeBaked(name), subject=name, of=HERE)


def note(uow, event):
    uow.connection.execute(counts.insert().values(name=f"{event.subject} by {event.actor}"))


REACTIONS = {CakeBaked.type: note}


def seen(database):
    with reading(database) as uow:
        return uow.connection.execute(select(counts.c.name).order_by(counts.c.id)).scalars().all()


def recorded(database):
    with reading(database) as uow:
        return uow.connection.execute(select(spine.events)).mappings().all()


def test_an_event_says_who_what_where_when_and_because_of_what(database):
    bake(database, "carrot")
    (event,) = recorded(database)
    assert (event["type"], event["subject"], event["data"]) == (
        "test.cake.baked.v1",
        "carrot",
        {"name": "carrot"},
    )
    assert (event["actor"], event["actor_kind"], event["correlation"]) == (
        "per_ada",
        "person",
        "op_1",
    )
    assert (event["team"], event["app"], event["environment"]) == ("team_1", "app_1", "env_1")
    assert event["time"] == event["recorded"]
    assert event["id"].startswith("evt_")


def test_what_was_rolled_back_never_happened(database):
    with pytest.raises(KeyError), unit_of_work(database) as uow:  # noqa: PT012 - it is one transaction
        spine.record(uow, CakeBaked("carrot"), subject="carrot", of=HERE)
        raise KeyError("spoon")
    assert recorded(database) == []


def test_a_reader_hears_every_event_once_in_order(database):
    bake(database, "carrot", "lemon")
    assert spine.catch_up(database, "baker", REACTIONS) == 2
    bake(database, "plum")
    assert spine.catch_up(database, "baker", REACTIONS) == 1
    assert spine.catch_up(database, "baker", REACTIONS) == 0
    assert seen(database) == ["carrot by per_ada", "lemon by per_ada", "plum by per_ada"]


def test_a_reaction_that_breaks_is_heard_again_with_nothing_done_by_half(database):
    bake(database, "carrot")
    faults = [KeyError("spoon")]

    def break_once(uow, event):
        note(uow, event)
        if faults:
            raise faults.pop()

    with pytest.raises(KeyError):
        spine.catch_up(database, "baker", {CakeBaked.type: break_once})
    assert spine.catch_up(database, "baker", {CakeBaked.type: break_once}) == 1
    assert seen(database) == ["carrot by per_ada"]


def test_a_reader_made_anew_comes_to_the_same(database):
    bake(database, "carrot", "lemon")
    spine.catch_up(database, "baker", REACTIONS)
    bake(database, "plum")
    spine.catch_up(database, "baker", REACTIONS)
    before = seen(database)
    with unit_of_work(database) as uow:
        spine.forget(uow, "baker")
        uow.connection.execute(counts.delete())
    spine.catch_up(database, "baker", REACTIONS)
    assert seen(database) == before


def test_a_position_is_never_given_twice(database):
    bake(database, "carrot", "lemon")
    last = recorded(database)[-1]["position"]
    with unit_of_work(database) as uow:
        uow.connection.execute(spine.events.delete())
    bake(database, "plum")
    assert recorded(database)[0]["position"] == last + 1


def test_a_read_is_recorded_once_an_hour_for_each_reader_and_thing(database, monkeypatch):
    def read(what="carrot", actor="per_ada"):
        with reading(database) as uow:
            uow.actor, uow.actor_kind = actor, "person"
            spine.record_read(uow, CakeBaked(what), subject=what, of=HERE)

    for _ in range(3):
        read()
    read("lemon")
    read(actor="per_bob")
    assert len(recorded(database)) == 3
    assert {each["actor_kind"] for each in recorded(database)} == {"person"}
    later = clock.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    read()
    assert len(recorded(database)) == 4
