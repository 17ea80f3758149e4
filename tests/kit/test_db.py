"""Transactions: all or nothing, writers in turn, readers beside them."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select
from sqlalchemy.exc import OperationalError

from perron.kit import bell, db
from perron.kit.db import UtcDateTime, open_database, reading, unit_of_work

metadata = MetaData()
cakes = Table(
    "cake",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, unique=True),
    Column("baked", UtcDateTime),
)


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'cakes.db'}")
    metadata.create_all(database)
    yield database
    database.dispose()


def bake(uow, name, **more):
    uow.connection.execute(cakes.insert().values(name=name, **more))


def names(database):
    with reading(database) as uow:
        return uow.connection.execute(select(cakes.c.name).order_by(cakes.c.id)).scalars().all()


def test_an_error_undoes_all_of_a_unit_of_work(database):
    with pytest.raises(KeyError), unit_of_work(database) as uow:  # noqa: PT012 - it is one transaction
        bake(uow, "carrot")
        raise KeyError("spoon")
    assert names(database) == []


def test_what_is_written_while_reading_is_not_kept(database):
    with reading(database) as uow:
        bake(uow, "carrot")
    assert names(database) == []


def test_many_writers_read_and_write_in_turn_and_lose_nothing(database):
    with unit_of_work(database) as uow:
        bake(uow, "0")

    def count():
        for _ in range(25):
            with unit_of_work(database) as uow:
                now = int(uow.connection.execute(select(cakes.c.name)).scalar())
                uow.connection.execute(cakes.update().values(name=str(now + 1)))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(database) == ["200"]


def test_a_writer_who_waited_too_long_is_told_that_the_database_is_locked(database, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE", 0.05)
    refused = []

    def write():
        try:
            with unit_of_work(database) as uow:
                bake(uow, "late")
        except OperationalError as why:
            refused.append(str(why))

    with unit_of_work(database) as uow:
        bake(uow, "carrot")
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert "database is locked" in refused[0]
    write()
    assert names(database) == ["carrot", "late"]


def test_a_reader_waits_for_no_writer(database):
    with unit_of_work(database) as uow:
        bake(uow, "carrot")
        assert names(database) == []
    assert names(database) == ["carrot"]


def test_the_bell_rings_for_what_was_changed_and_for_nothing_else(database):
    before = bell.heard()
    with unit_of_work(database) as uow:
        uow.connection.execute(select(cakes)).all()
    assert bell.heard() == before
    with unit_of_work(database) as uow:
        bake(uow, "carrot")
    assert bell.heard() == before + 1
    with pytest.raises(KeyError), unit_of_work(database) as uow:  # noqa: PT012 - it is one transaction
        bake(uow, "lemon")
        raise KeyError("spoon")
    assert bell.heard() == before + 1


def test_when_the_bell_rings_the_change_can_be_seen(database):
    seen = []
    with bell.listening(lambda: seen.append(names(database))), unit_of_work(database) as uow:
        bake(uow, "carrot")
    assert seen == [["carrot"]]


@pytest.mark.parametrize("opened", [reading, unit_of_work])
def test_what_comes_afterwards_is_kept_even_when_all_else_is_not(database, opened):
    with pytest.raises(KeyError), opened(database) as uow:  # noqa: PT012 - it is one transaction
        bake(uow, "carrot")
        uow.actor = "per_ada"
        uow.afterwards.append(lambda own: bake(own, f"crumbs of {own.actor}"))
        raise KeyError("spoon")
    assert names(database) == ["crumbs of per_ada"]


def test_a_moment_comes_back_in_utc_and_never_without_its_zone(database):
    rome = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    with unit_of_work(database) as uow:
        bake(uow, "carrot", baked=rome)
        found = uow.connection.execute(select(cakes.c.baked)).scalar()
    assert (found, found.tzinfo) == (datetime(2026, 1, 1, 12, tzinfo=UTC), UTC)
    with pytest.raises(Exception, match="zone"), unit_of_work(database) as uow:
        bake(uow, "lemon", baked=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
