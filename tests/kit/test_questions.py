"""Questions that are built once answer as SQLAlchemy would."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import JSON, Boolean, Column, Integer, MetaData, String, Table, bindparam, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError

from perron.kit.db import UtcDateTime, open_database, reading, unit_of_work
from perron.kit.questions import Question, among, columns_of

metadata = MetaData()
things = Table(
    "thing",
    metadata,
    Column("number", Integer, nullable=False),
    Column("name", String, primary_key=True),
    Column("made", UtcDateTime),
    Column("is_good", Boolean, nullable=False),
    Column("facts", JSON),
)
NOON = datetime(2026, 2, 3, 12, 0, 0, 7, UTC)
ROWS = [
    {"number": 1, "name": "one", "made": NOON, "is_good": True, "facts": {"a": [1]}},
    {"number": 2, "name": "two's \"[", "made": None, "is_good": False, "facts": None},
    {"number": 3, "name": "drei ☃", "made": NOON, "is_good": True, "facts": {}},
]
EVERY = select(things).order_by(things.c.number)


@dataclass(frozen=True)
class Thing:
    name: str
    number: int
    made: datetime | None


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    metadata.create_all(database)
    with unit_of_work(database) as uow:
        uow.connection.execute(things.insert(), ROWS)
    yield database
    database.dispose()


def test_rows_are_what_sqlalchemy_makes_of_them(database):
    with reading(database) as uow:
        found = Question(EVERY).rows(uow)
        assert found == [tuple(row) for row in uow.connection.execute(EVERY)]
    assert found == [tuple(row.values()) for row in ROWS]


def test_a_noun_takes_its_columns_by_name(database):
    query = select(*columns_of(Thing, things)).where(things.c.number == bindparam("number"))
    with reading(database) as uow:
        assert Question(query).noun(uow, Thing, number=1) == Thing("one", 1, NOON)
        assert Question(query).noun(uow, Thing, number=9) is None
        assert Question(query).nouns(uow, Thing, number=9) == []
        assert Question(query).value(uow, number=3) == "drei ☃"
        assert Question(query).value(uow, number=9) is None


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["one"],
        [row["name"] for row in ROWS],
        {"one", "?", "') OR (1=1"},
        ["x"] * 2000 + ["one"],
    ],
)
def test_many_values_are_one_parameter(database, names):
    asked = Question(select(things.c.name).where(among(things.c.name, "names")))
    with reading(database) as uow:
        found = {name for (name,) in asked.rows(uow, names=names)}
    assert found == {row["name"] for row in ROWS} & set(names)


def test_values_are_told_as_their_columns_hold_them(database):
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))
    asked = Question(
        select(things.c.number)
        .where(things.c.made == bindparam("at", type_=UtcDateTime()), things.c.is_good)
        .order_by(things.c.number)
        .limit(bindparam("limit", type_=Integer))
    )
    with reading(database) as uow:
        assert asked.rows(uow, at=elsewhere, limit=1) == [(1,)]
        with pytest.raises(ValueError, match="zone"):
            asked.rows(uow, at=NOON.replace(tzinfo=None), limit=1)


def test_a_value_that_was_forgotten_is_never_null(database):
    asked = Question(EVERY.where(things.c.name == bindparam("name")))
    with reading(database) as uow, pytest.raises(KeyError):
        asked.rows(uow)


def test_a_question_sees_the_transaction_it_is_asked_in(database):
    with unit_of_work(database) as uow:
        uow.connection.execute(things.delete().where(things.c.number == 1))
        assert len(Question(EVERY).rows(uow)) == 2
        with reading(database) as beside:
            assert len(Question(EVERY).rows(beside)) == 3


def test_a_fault_of_the_database_is_told_as_any_other(database):
    with reading(database) as uow:
        uow.connection.exec_driver_sql("DROP TABLE thing")
        with pytest.raises(OperationalError, match="no such table"):
            Question(EVERY).rows(uow)


def test_a_larger_database_takes_an_array():
    query = select(things.c.name).where(among(things.c.name, "names"))
    text = str(query.compile(dialect=postgresql.dialect()))
    assert "thing.name IN (SELECT unnest(%(names)s" in text
