"""Configuration: what may be kept, what is shown, and what a rollback keeps."""

import pytest

from perron import config
from perron.config import ConfigNotFound, ConfigRefused, Value
from perron.config.model import difference, gone_back
from perron.kit.db import unit_of_work
from perron.kit.seal import KeyLost


def put(still, unset=(), **values):
    with still.writing() as uow:
        given = {name: v if isinstance(v, Value) else Value(v) for name, v in values.items()}
        return config.change(uow, still.production, set=given, unset=list(unset))


@pytest.mark.parametrize(
    "name",
    ["PORT", "PATH", "PPID", "IFS", "UID", "PERRON_APP", "HOME", "1A", "A-B", "", "Ä", "A" * 129],
)
def test_some_keys_cannot_be_set(still, name):
    with pytest.raises(ConfigRefused):
        put(still, **{name: "x"})


@pytest.mark.parametrize("text", ["a\0b", "x" * 65_537, "\ud800"])
def test_some_values_no_process_could_be_given(still, text):
    with pytest.raises(ConfigRefused):
        put(still, KEY=text)


def test_all_values_together_have_a_bound(still):
    with pytest.raises(ConfigRefused, match="at most 262,144"):
        put(still, **{f"K{n}": "x" * 60_000 for n in range(5)})


def test_a_change_happens_whole_or_not_at_all(still):
    put(still, A="1")
    with pytest.raises(ConfigNotFound, match="'B'"):
        put(still, A="2", unset=["B"])
    assert still.values() == {"A": "1"}


def test_a_key_cannot_be_both_set_and_unset(still):
    put(still, A="1")
    with pytest.raises(ConfigRefused, match="both"):
        put(still, A="2", unset=["A"])


def test_secrets_are_masked_and_plain_values_shown(still):
    put(still, TOKEN="hunter2", COLOUR=Value("blue", secret=False))
    with still.reading() as uow:
        shown = {each.name: each.shown for each in config.entries(uow, still.production)}
    assert shown == {"TOKEN": "••••", "COLOUR": "blue"}


def test_no_value_lies_in_the_database_or_its_events(still):
    put(still, TOKEN="hunter2hunter2", COLOUR=Value("verybluecolour", secret=False))
    still.database.dispose()
    for file in still.home.path.glob("perron.db*"):
        assert b"hunter2hunter2" not in file.read_bytes()
        assert b"verybluecolour" not in file.read_bytes()


def test_a_value_moved_to_another_key_does_not_open(still):
    from perron.config import store

    put(still, TOKEN="hunter2", OTHER="x")
    with unit_of_work(still.database) as uow:
        sealed = {row.name: row.sealed for row in uow.connection.execute(store.entries.select())}
        moved = store.entries.update().where(store.entries.c.name == "OTHER")
        uow.connection.execute(moved.values(sealed=sealed["TOKEN"]))
        with pytest.raises(KeyLost):
            config.entries(uow, still.production)


def test_the_digest_names_the_values_and_reveals_none(still):
    with still.reading() as uow:
        empty = config.digest(uow, still.production)
    put(still, A="1")
    with still.reading() as uow:
        one = config.digest(uow, still.production)
    put(still, A="2")
    put(still, A="1")
    with still.reading() as uow:
        assert config.digest(uow, still.production) == one != empty


def test_the_same_values_again_change_nothing(still):
    assert put(still, A="1")
    assert not put(still, A="1")


def test_going_back_takes_plain_values_and_leaves_todays_secrets():
    then = {"COLOUR": Value("blue", False), "TOKEN": Value("old"), "GONE": Value("x", False)}
    now = {"COLOUR": Value("red", False), "TOKEN": Value("new"), "NEW": Value("y", False)}
    assert {k: v.text for k, v in gone_back(then, now).items()} == {
        "COLOUR": "blue",
        "GONE": "x",
        "TOKEN": "new",
    }


def test_a_difference_names_keys_and_never_values():
    before = {"A": Value("1"), "B": Value("1")}
    found = difference(before, {"B": Value("2"), "C": Value("3")})
    assert (found.added, found.removed, found.changed) == (["C"], ["A"], ["B"])


def test_builds_are_told_only_what_is_meant_for_them(still):
    put(still, A="1", KEY=Value("k", build=True))
    with still.writing() as uow:
        config.take_snapshot(uow, still.production, "rel_1")
        assert config.build_values(uow, "rel_1") == {"KEY": "k"}
        first = config.build_digest(uow, "rel_1")
    put(still, A="2")
    with still.writing() as uow:
        config.take_snapshot(uow, still.production, "rel_2")
        assert config.build_digest(uow, "rel_2") == first


def test_revealing_is_written_down_with_the_key_and_not_the_value(still):
    from perron.config import service

    put(still, TOKEN="hunter2")
    with still.writing() as uow:
        assert service.reveal(uow, still.production, "TOKEN") == "hunter2"
    [event] = still.events("perron.config.revealed.v1")
    assert (event["data"], event["actor"]) == ({"key": "TOKEN"}, still.actor.id)
    assert "hunter2" not in str(still.events("perron.config.changed.v1"))
