"""Asks for work that has no release of its own, and waits for its end."""

from typing import Any

from perron.client import Client, Place

from . import exits, tables, voice
from .exits import Stop
from .following import follow, operation_of
from .steps import Board


def finish(
    client: Client,
    place: Place,
    answer: dict[str, Any],
    done: str,
    *,
    detach: bool = False,
    as_json: bool = False,
) -> None:
    """Follow the operation an answer names to its end, then say what came of it."""
    operation = operation_of(answer)
    if operation is None or detach:
        _told(answer, done if operation is None else f"Asked for: {operation}", as_json=as_json)
        return
    leaving = f"Left. It goes on; perron operations show {operation}"
    board = Board(quiet=as_json)
    ending = follow(client, operation, board, leaving=leaving)
    if ending.state == "done":
        _told(answer, done, as_json=as_json)
        return
    for line in ending.lines[-20:]:
        text = line.get("text", "") if isinstance(line, dict) else line
        voice.say(f"  {voice.harmless(str(text))}")
    raise Stop(
        f"Not done: {ending.reason or ending.state}",
        exits.of_operation(ending.state),
        next=f"perron operations show {operation}",
    )


def _told(answer: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        tables.document(answer)
    else:
        voice.say(text)
