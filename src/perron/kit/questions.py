"""Questions to the database that are built once and asked a thousand times.

To build a ``select`` anew and read its rows by name costs more than SQLite needs to answer it.
What every page or list asks is therefore a ``Question``: its values are named in ``bindparam``,
``among`` takes many at once, and its rows come as plain tuples, in the order of its columns.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import cached_property
from itertools import starmap
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Dialect, FromClause, Select, bindparam
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import ARRAY, String, TypeDecorator

from .db import UnitOfWork

Noun = TypeVar("Noun")
Row = tuple[Any, ...]
Process = Callable[[Any], Any]


class Question:
    """A question that is compiled once; on SQLite it then goes straight to the driver."""

    def __init__(self, query: Select[Any]) -> None:
        self.query = query

    def rows(self, uow: UnitOfWork, **given: Any) -> Sequence[Row]:
        """Return all rows."""
        connection = uow.connection
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in connection.execute(self.query, given)]
        if not connection.in_transaction():
            connection.begin()
        return self._plan.rows(connection.connection.dbapi_connection, given)

    def first(self, uow: UnitOfWork, **given: Any) -> Row | None:
        """Return the first row; None when there is none."""
        return next(iter(self.rows(uow, **given)), None)

    def value(self, uow: UnitOfWork, **given: Any) -> Any:
        """Return the first column of the first row; None when there is none."""
        row = self.first(uow, **given)
        return row[0] if row else None

    def nouns(self, uow: UnitOfWork, noun: Callable[..., Noun], **given: Any) -> list[Noun]:
        """Return every row as the noun whose fields are the columns, in their order."""
        return list(starmap(noun, self.rows(uow, **given)))

    def noun(self, uow: UnitOfWork, noun: Callable[..., Noun], **given: Any) -> Noun | None:
        """Return the first row as its noun; None when there is none."""
        row = self.first(uow, **given)
        return noun(*row) if row else None

    @cached_property
    def _plan(self) -> "_Plan":
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        return _Plan(self.query, SQLiteDialect_pysqlite())


def columns_of(noun: type[Any], *tables: FromClause) -> list[ColumnElement[Any]]:
    """Return a column for each field of a noun, of the first table that has it."""
    names = [each.name for each in fields(noun)]
    return [next(table.c[name] for table in tables if name in table.c) for name in names]


class _Several(TypeDecorator[list[str]]):
    """Many texts in one parameter: an array, or JSON where there are no arrays."""

    impl = ARRAY(String)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return how they are sent."""
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else ARRAY(String))

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> Any:
        """Write them as they are sent."""
        several = list(value or ())
        return json.dumps(several) if dialect.name == "sqlite" else several


class _Each(FunctionElement[Any]):
    inherit_cache = True


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Say that a column is one of the values given as ``name``, however many those are."""
    is_one_of = column.op("IN", is_comparison=True)
    return is_one_of(_Each(bindparam(name, type_=_Several())))


@compiles(_Each)
def _of_array(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


@compiles(_Each, "sqlite")
def _of_json(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    several = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({several}))"  # noqa: S608 - a place for a parameter


class _Plan:
    """What is known of a question once it is compiled: its text, and how values are read."""

    def __init__(self, query: Select[Any], dialect: Dialect) -> None:
        compiled = query.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - a select is compiled by nothing else
        self.text = str(compiled)
        self.told = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
        self.writers = [
            bind.type.dialect_impl(dialect).bind_processor(dialect) for _name, bind in self.told
        ]
        types = [column.type for column in query.selected_columns]
        found = (each.dialect_impl(dialect).result_processor(dialect, None) for each in types)
        self.readers = [(place, each) for place, each in enumerate(found) if each]

    def rows(self, driver: Any, given: dict[str, Any]) -> Sequence[Row]:
        """Ask the driver."""
        try:
            rows = driver.execute(self.text, self._values(given)).fetchall()
        except sqlite3.OperationalError as why:
            raise OperationalError(self.text, None, why) from why
        except sqlite3.DatabaseError as why:
            raise DatabaseError(self.text, None, why) from why
        return self._read(rows) if rows and self.readers else rows

    def _values(self, given: dict[str, Any]) -> list[Any]:
        values = [
            given[name] if bind.required else given.get(name, bind.value)
            for name, bind in self.told
        ]
        return [
            write(value) if write else value
            for write, value in zip(self.writers, values, strict=True)
        ]

    def _read(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Turn what the driver gave into what the columns hold, a column at a time."""
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for place, read in self.readers:
            columns[place] = map(read, columns[place])
        return list(zip(*columns, strict=True))
