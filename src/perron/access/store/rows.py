"""What every table of this room needs: keeping a row, and reading one back as its noun."""

from typing import Any, TypeVar

from sqlalchemy import Select, Table

from perron.kit.db import UnitOfWork

Noun = TypeVar("Noun")


def keep(uow: UnitOfWork, table: Table, **row: Any) -> None:
    """Keep one new row."""
    uow.connection.execute(table.insert().values(**row))


def one(uow: UnitOfWork, noun: type[Noun], query: Select[Any]) -> Noun | None:
    """Return the first row found as its noun, if there is one."""
    row = uow.connection.execute(query.limit(1)).mappings().first()
    return noun(**row) if row else None


def many(uow: UnitOfWork, noun: type[Noun], query: Select[Any]) -> list[Noun]:
    """Return the rows found as their noun."""
    return [noun(**row) for row in uow.connection.execute(query).mappings()]
