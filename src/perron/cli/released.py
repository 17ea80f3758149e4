"""How a release came out: the last sentences of a deploy, a rollback or a config change."""

import json
import time
from contextlib import suppress
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from perron.client import Client, Fault, Place, Refused, Unreachable, verbs

from . import exits, tables, voice, words
from .exits import Stop
from .following import Ending, follow, operation_of
from .steps import Board


def finish(
    client: Client,
    place: Place,
    release: dict[str, Any],
    board: Board,
    began: float,
    *,
    as_json: bool = False,
    verb: str = "is live",
) -> None:
    """Follow a release to its end; print its URL, or stop with the reason."""
    number = release["number"]
    leaving = (
        f"Left. Release {number} goes on; `perron cancel -a {place.app}{_env(place)}` stops it."
    )
    operation = operation_of(release) or ""
    if voice.meta("verbose") and not as_json:
        show_build(client, place, number, board)
    ending = follow(client, operation, board, leaving=leaving, as_json=as_json)
    took = time.monotonic() - began
    told = _again(client, place, number) or release
    if as_json:
        tables.line({"event": "release", "data": told})
    if ending.state == "done":
        say_live(told, took, verb, as_json=as_json)
        return
    raise _unlucky(client, place, told, ending, as_json=as_json)


def unchanged(client: Client, place: Place, why: Refused, *, as_json: bool) -> None:
    """Say that what was to be deployed is live already; its URL goes to stdout."""
    number = int(why.problem["release"])
    if as_json:
        release = verbs.release(client, place, number)
        tables.line({"event": "unchanged", "data": release})
        return
    voice.say(f"{place.app}, {place.environment}: nothing changed since release {number}.")
    voice.say("It is live; perron deploy --force makes a release all the same.")
    if curl := by_address(str(why.problem["url"])):
        voice.say(f"Also   {curl}")
    voice.data(str(why.problem["url"]))


def show_build(client: Client, place: Place, number: int, board: Board) -> None:
    """Show a release's build as it speaks, beside the steps."""
    query = {"source": "build", "release": number}

    def listen() -> None:
        with suppress(Fault):
            for event in client.follow(f"{place.path}/logs/follow", query):
                if isinstance(event.data, dict) and "text" in event.data:
                    board.aside(str(event.data["text"]))

    Thread(target=listen, daemon=True).start()


def say_live(release: dict[str, Any], took: float, verb: str, *, as_json: bool) -> None:
    """Say that a release is live, and what visitors noticed; the URL goes to stdout."""
    if as_json:
        return
    sentence = f"Release {release['number']} {verb} after {took:.1f} s."
    voice.say(f"{sentence} {words.lost_sentence(release)}")
    if curl := by_address(str(release["url"])):
        voice.say(f"Also   {curl}")
    voice.data(str(release["url"]))


def by_address(url: str) -> str:
    """Return how to visit a ``*.localhost`` host where no resolver knows that name."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not host.endswith(".localhost"):
        return ""
    port = f":{parts.port}" if parts.port else ""
    return f"curl -H 'Host: {host}' http://127.0.0.1{port}/"


def _unlucky(
    client: Client,
    place: Place,
    release: dict[str, Any],
    ending: Ending,
    *,
    as_json: bool,
) -> Stop:
    """Tell why a release did not go live, and give the exit code for it."""
    code = exits.of_operation(ending.state)
    reason = ending.reason or str(release.get("reason") or "")
    if as_json:
        problem = {
            "type": f"/v1/problems/release-{ending.state}",
            "title": f"Release {ending.state}",
            "detail": reason,
            "release": release["number"],
        }
        return Stop(json.dumps(problem, ensure_ascii=False), code)
    number = release["number"]
    if ending.state == "superseded":
        return Stop(f"Superseded: {reason or 'a newer release was asked for.'}", code)
    if ending.state == "cancelled":
        return Stop(f"Release {number} was cancelled. {reason}".rstrip(), code)
    return Stop(_failure(client, place, release, ending, reason), code)


def _failure(
    client: Client,
    place: Place,
    release: dict[str, Any],
    ending: Ending,
    reason: str,
) -> str:
    number = release["number"]
    lines = []
    if ending.lines:
        lines.append(f"Last lines of {ending.instance or ending.step or 'it'}:")
        lines += [f"  {_log_line(each)}" for each in ending.lines[-20:]]
    lines.append(f"Release {number} was refused. {_still(client, place)}{_lost(release)}".rstrip())
    if reason and reason != ending.told:
        lines.append(f"Why    {voice.harmless(reason)}")
    source = f" --source {ending.step}" if ending.step in ("build", "release") else ""
    lines.append(f"Next   perron logs -a {place.app}{_env(place)} --release {number}{source}")
    return "\n".join(lines)


def _lost(release: dict[str, Any]) -> str:
    return "" if release.get("lost") is None else words.lost_sentence(release)


def _log_line(line: Any) -> str:
    if isinstance(line, dict):
        at = f"{words.clock_time(line['time'], millis=True)}  " if line.get("time") else ""
        return at + voice.harmless(str(line.get("text", "")))
    return voice.harmless(str(line))


def _still(client: Client, place: Place) -> str:
    """Say which release keeps serving, if one does."""
    try:
        live = verbs.environment(client, place).get("release")
    except (Refused, Unreachable):
        return ""
    if isinstance(live, dict) and live.get("state") == "live":
        return f"{live['number']} keeps serving. "
    return "Nothing served before. "


def _again(client: Client, place: Place, number: int) -> dict[str, Any] | None:
    try:
        return verbs.release(client, place, number)
    except (Refused, Unreachable):
        return None


def _env(place: Place) -> str:
    return "" if place.environment == "production" else f" -e {place.environment}"
