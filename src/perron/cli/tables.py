"""Lists: a table for eyes, tabs or JSON for machines."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import voice, words

LEAST = 60  # columns below which the low ones go


@dataclass(frozen=True)
class Column:
    """One column: its header, and how it behaves when there is no room.

    ``figure`` is right-aligned; ``text`` may be cut when it is the last; ``low`` goes first.
    """

    name: str
    figure: bool = False
    text: bool = False
    low: bool = False


@dataclass(frozen=True)
class State:
    """A cell that shows a state with its mark."""

    kind: str
    text: str


Cell = str | int | State | None


def of_state(state: object, text: str = "") -> State:
    """Return the cell for a state of the API."""
    return State(words.kind(state), text or str(state or "unknown").capitalize())


def document(value: object) -> None:
    """Print one JSON document."""
    voice.data(json.dumps(value, indent=2, ensure_ascii=False))


def line(value: object) -> None:
    """Print one JSON object on one line."""
    voice.data(json.dumps(value, ensure_ascii=False))


def show(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, tsv: bool = False) -> None:
    """Print rows under their headers."""
    filled = [[_text(cell) for cell in row] for row in rows]
    if tsv:
        for row in [[column.name for column in columns], *filled]:
            voice.data("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    room = voice.width()
    keep = [at for at, each in enumerate(columns) if not (each.low and (room or LEAST) < LEAST)]
    columns = [columns[at] for at in keep]
    filled = [[row[at] for at in keep] for row in filled]
    for text in _lines(columns, filled, room):
        voice.data(text)


def _lines(columns: Sequence[Column], rows: list[list[str]], room: int | None) -> list[str]:
    widths = [
        max([len(column.name), *(_length(row[at]) for row in rows)])
        for at, column in enumerate(columns)
    ]
    header = voice.paint(
        _line(columns, [each.name for each in columns], widths, room), voice.DIM, sys.stdout
    )
    return [header, *(_line(columns, row, widths, room) for row in rows)]


def _line(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], room: int | None
) -> str:
    cells = []
    for at, (column, cell) in enumerate(zip(columns, row, strict=True)):
        gap = " " * (widths[at] - _length(cell))
        if column.text and room and at == len(columns) - 1:
            before = sum(widths[:at]) + 2 * at
            cell = _cut(cell, room - before)
            gap = ""
        cells.append(gap + cell if column.figure else cell + gap)
    return "  ".join(cells).rstrip()


def _cut(cell: str, room: int) -> str:
    return cell if _length(cell) <= room or room < 2 else cell[: room - 1] + "…"


def _text(cell: Cell) -> str:
    if isinstance(cell, State):
        return f"{voice.mark(cell.kind, sys.stdout)} {cell.text}"
    return "-" if cell is None or cell == "" else voice.harmless(str(cell))


def _length(text: str) -> int:
    return len(voice.harmless(text))


def listing(
    items: list[dict[str, Any]],
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    shape: str,
) -> None:
    """Print a list in the shape asked for: ``table``, ``tsv`` or ``json``."""
    if shape == "json":
        document(items)
    else:
        show(columns, rows, tsv=shape == "tsv")
