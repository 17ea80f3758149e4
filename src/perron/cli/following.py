"""Follows an operation to its end, by its stream of events."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from perron.client import Client, Event, verbs

from . import tables, voice
from .exits import LEFT, Stop
from .steps import Board

ENDED = ("done", "failed", "cancelled", "superseded", "parked")
_TICK = 0.2


@dataclass
class Ending:
    """How an operation ended, and what it said that explains it."""

    state: str = "unknown"
    reason: str = ""
    step: str = ""
    told: str = ""
    facts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lines(self) -> list[Any]:
        """The last lines of what failed, as the platform told them."""
        return next((each["lines"] for each in reversed(self.facts) if each.get("lines")), [])

    @property
    def instance(self) -> str:
        """What those lines came from."""
        said = (each for each in reversed(self.facts) if each.get("lines"))
        return str(next((each.get("instance") or each.get("from") or "" for each in said), ""))


def follow(
    client: Client, operation: str, board: Board, *, leaving: str, as_json: bool = False
) -> Ending:
    """Show an operation until it ends; Ctrl C leaves, and says what goes on."""
    ending = Ending()
    try:
        for event in _events(client, operation, board):
            if as_json:
                tables.line({"event": event.name, "data": event.data})
            if _hear(event, board, ending):
                break
        failed = board.failed()
        board.end(ending.state)
        ending.step = failed.name if failed else ""
        ending.told = failed.message if failed else ""
    except KeyboardInterrupt:
        board.close()
        voice.say(leaving)
        raise Stop("", LEFT) from None
    finally:
        board.close()
    return ending


def operation_of(answer: dict[str, Any]) -> str | None:
    """Return the operation that an answer names."""
    found = answer.get("operation")
    if isinstance(found, dict):
        return str(found.get("id"))
    if isinstance(found, str) and found:
        return found
    return str(answer["id"]) if "work" in answer and "id" in answer else None


def _hear(event: Event, board: Board, ending: Ending) -> bool:
    """Take in one event; say whether it was the last."""
    if not isinstance(event.data, dict):
        return False
    if event.name == "step":
        board.step(event.data)
    elif event.name == "progress":
        board.progress(event.data)
        if event.data.get("facts"):
            ending.facts.append(event.data["facts"])
    elif event.name == "state" and event.data.get("state") in ENDED:
        ending.state = str(event.data["state"])
        ending.reason = str(event.data.get("reason") or "")
        return True
    return False


def _events(client: Client, operation: str, board: Board) -> Iterator[Event]:
    """Give events as they come, with a tick of the board while nothing does."""
    heard: queue.Queue[Event | BaseException] = queue.Queue()
    Thread(target=_listen, args=(client, operation, heard), daemon=True).start()
    while True:
        try:
            found = heard.get(timeout=_TICK)
        except queue.Empty:
            board.tick()
            continue
        if isinstance(found, BaseException):
            raise found
        yield found


def _listen(client: Client, operation: str, heard: "queue.Queue[Event | BaseException]") -> None:
    try:
        for event in client.follow(f"{verbs.operation_path(operation)}/events"):
            heard.put(event)
            if event.name == "state" and _is_end(event):
                return
    except BaseException as why:  # told in the thread that shows it
        heard.put(why)


def _is_end(event: Event) -> bool:
    return isinstance(event.data, dict) and event.data.get("state") in ENDED
