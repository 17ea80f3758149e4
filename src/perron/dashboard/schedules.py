"""The schedules of an environment: what runs by the clock, how it went, and running it now."""

from collections.abc import Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

from perron.client import Refused
from perron.client import schedules as verbs
from perron.client.client import Json

from . import editions, words
from .asking import Act, Ask, Done, Page, Shown
from .navigation import app_facts, app_url

RUNS = 20
STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("deploying", "Waiting"),
    "running": ("deploying", "Running"),
    "done": ("healthy", "Done"),
    "failed": ("failed", "Failed"),
    "skipped": ("stopped", "Skipped"),
    "missed": ("degraded", "Missed"),
    "cancelled": ("stopped", "Cancelled"),
}
OVERLAPS = {"skip": "skip it", "queue": "let it wait", "replace": "end the one before"}
FIELDS = ("schedule", "timezone", "command", "overlap", "timeout")


def show_schedules(ask: Ask) -> Shown:
    """Show what runs by the clock; ``?schedule=`` opens one with its runs."""
    facts = app_facts(ask, "Schedules")
    found = [_drawn(each) for each in verbs.schedules(ask.client, ask.place)]
    name = ask.query.get("schedule", "")
    chosen = next((each for each in found if each["name"] == name), None)
    return Shown("schedules.html", facts | {
        "schedules": found,
        "chosen": chosen,
        "runs": _runs(ask, name) if chosen else [],
        "tag": editions.read(ask.client, f"{_path(ask, name)}").tag if chosen else "",
        "overlaps": OVERLAPS,
        "typed": _typed(ask, chosen),
        "live": not ask.refused,
    })  # fmt: skip


def add(ask: Ask) -> Done:
    """Have a command run by the clock."""
    request = {"name": ask.said("name"), **_told(ask)}
    made = verbs.add(ask.client, ask.place, request)
    return _done(ask, f"{made['name']} runs by the clock from now on.", made["name"])


def change(ask: Ask) -> Done:
    """Have it run another command, or at other times."""
    name = ask.query.get("schedule", "")
    editions.change(ask.client, "PATCH", _path(ask, name), _told(ask), ask.said("tag"))
    return _done(ask, f"{name} is changed.", name)


def switch(ask: Ask) -> Done:
    """Pause a schedule, or let it come again."""
    name, is_on = ask.said("name"), ask.said("on") == "yes"
    verbs.change(ask.client, ask.place, name, {"enabled": is_on})
    said = f"{name} comes by the clock again." if is_on else f"{name} is paused."
    return _done(ask, said, ask.query.get("schedule", ""))


def run(ask: Ask) -> Done:
    """Run a schedule's command now."""
    name = ask.said("name")
    verbs.run(ask.client, ask.place, name)
    return _done(ask, f"{name} runs now.", name)


def remove(ask: Ask) -> Done:
    """Have a command run by the clock no more."""
    name = ask.said("name")
    verbs.remove(ask.client, ask.place, name)
    return _done(ask, f"{name} is removed.", "")


def with_sign(run: Json) -> Json:
    """Return a run with the sign and the word for what became of it, and how long it took."""
    sign, word = STATES.get(run["state"], ("unknown", "Unknown"))
    took = ""
    if run["started"] and run["finished"]:
        span = words.moment(run["finished"]) - words.moment(run["started"])
        took = words.length(span.total_seconds())
    return {**run, "sign": sign, "word": word, "took": took}


def _told(ask: Ask) -> dict[str, Any]:
    told: dict[str, Any] = {name: ask.said(name) for name in FIELDS}
    told["timeout"] = _seconds(ask.said("timeout"))
    return told


def _seconds(text: str) -> float:
    seconds = words.seconds_in(text)
    if seconds is None:
        detail = f"{text[:20]!r} is no time; write 30 s, 10 min or 1 h."
        raise Refused(422, {"title": "That cannot be read", "field": "timeout", "detail": detail})
    return seconds


def _typed(ask: Ask, chosen: Json | None) -> dict[str, str]:
    """Return what the form shows: what was typed, else what is so, else what is usual."""
    if ask.refused and ask.said("form") in ("add", "change"):
        return {name: ask.said(name) for name in ("name", *FIELDS)}
    if chosen is None:
        usual = {"timezone": str(ask.clock.zone), "overlap": "skip", "timeout": "1 h"}
        return dict.fromkeys(("name", *FIELDS), "") | usual
    said = {name: str(chosen[name]) for name in ("name", *FIELDS)}
    return said | {"timeout": words.span(chosen["timeout"])}


def _runs(ask: Ask, name: str) -> list[Json]:
    found = islice(verbs.runs(ask.client, ask.place, name, limit=RUNS), RUNS)
    return [with_sign(each) for each in found]


def _drawn(schedule: Json) -> Json:
    last = schedule["last"]
    return {**schedule, "last": with_sign(last) if last else None}


def _path(ask: Ask, name: str) -> str:
    return f"{ask.place.path}/schedules/{quote(name, safe='')}"


def _done(ask: Ask, said: str, name: str) -> Done:
    return Done(app_url(ask, "/schedules", schedule=name or None), said)


ALL: tuple[Page | Act, ...] = (
    Page("/apps/{app}/schedules", show_schedules),
    Act("/apps/{app}/schedules/add", add, show_schedules),
    Act("/apps/{app}/schedules/change", change, show_schedules),
    Act("/apps/{app}/schedules/switch", switch, show_schedules),
    Act("/apps/{app}/schedules/run", run, show_schedules),
    Act("/apps/{app}/schedules/remove", remove, show_schedules),
)
