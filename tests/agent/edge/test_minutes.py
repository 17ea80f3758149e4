"""Requests of each minute: added up once, and again only where more may come."""

import sqlite3

import pytest

from perron.agent.edge.traffic import Minutes

NOW = 1_800_000_030


@pytest.fixture
def database():
    made = sqlite3.connect(":memory:")
    made.execute(
        "create table router_second (environment text, second integer, requests integer,"
        " primary key (environment, second))"
    )
    return made


def served(database, environment, second, requests):
    database.execute("insert into router_second values (?, ?, ?)", (environment, second, requests))


def test_an_hour_has_sixty_minutes_and_the_present_one_is_last(database):
    served(database, "shop", NOW, 2)
    served(database, "shop", NOW - 1, 3)
    served(database, "shop", NOW - 60, 7)
    served(database, "shop", NOW - 3600, 100)
    found = Minutes().read(database, ["shop", "quiet"], NOW)
    assert found["shop"][-2:] == [7, 5]
    assert (len(found["shop"]), sum(found["shop"])) == (60, 12)
    assert found["quiet"] == [0] * 60


def test_lines_that_are_read_late_still_count(database):
    minutes = Minutes()
    served(database, "shop", NOW, 1)
    assert minutes.read(database, ["shop"], NOW)["shop"][-1] == 1
    served(database, "shop", NOW + 1, 4)
    assert minutes.read(database, ["shop"], NOW + 60)["shop"][-2:] == [5, 0]
    served(database, "shop", NOW + 80, 9)
    assert minutes.read(database, ["shop"], NOW + 120)["shop"][-3:] == [5, 9, 0]


def test_an_environment_that_is_new_is_read_from_the_beginning(database):
    minutes = Minutes()
    minutes.read(database, ["shop"], NOW)
    served(database, "late", NOW - 600, 6)
    assert sum(minutes.read(database, ["shop", "late"], NOW)["late"]) == 6


def test_what_is_older_than_an_hour_is_forgotten(database):
    minutes = Minutes()
    served(database, "shop", NOW, 1)
    minutes.read(database, ["shop"], NOW)
    assert minutes.read(database, ["shop"], NOW + 3600)["shop"] == [0] * 60
