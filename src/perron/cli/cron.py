"""``perron cron``: commands that run by the clock."""

import time
from itertools import islice
from typing import Any

import click

from perron.client import Client, Place
from perron.client import schedules as verbs

from . import exits, options, places, tables, voice, words
from .command import group
from .exits import MISTYPED, Stop
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("SCHEDULE"),
    Column("WHEN"),
    Column("NEXT"),
    Column("LAST"),
    Column("FROM", low=True),
    Column("COMMAND", text=True),
)
RUNS = (
    Column("TIME"),
    Column("STATE"),
    Column("TOOK", figure=True),
    Column("EXIT", figure=True),
    Column("BY", low=True),
    Column("WHY", text=True),
)
OVERLAPS = ("skip", "queue", "replace")
UNFINISHED = ("queued", "running")
ENDS = {"done": exits.DONE, "failed": exits.FAILED}
POLL = 0.5
of_platform = click.option(
    "--platform", "ours", is_flag=True, help="What the platform itself does: backup, prune."
)


@group(default="list")
def cron() -> None:
    """Commands that run by the clock."""


@cron.command("list", examples="perron cron -a shop\nperron cron --platform")
@of_platform
@options.in_place
@options.shaped
def list_schedules(ours: bool, app: str | None, environment: str, shape: str) -> None:
    """List schedules, when they come next and how they went last."""
    with platform(as_json=shape == "json") as client:
        place = None if ours else places.place(client, app, environment)
        found = list(verbs.schedules(client, place))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@cron.command(
    "add",
    examples="""
    perron cron add nightly "0 3 * * *" "python manage.py clearsessions" --timezone Europe/Berlin
    perron cron add report @hourly "python report.py" --overlap queue --timeout 10m
    """,
)
@click.argument("name")
@click.argument("schedule")
@click.argument("command_", metavar="COMMAND")
@click.option("--timezone", default="UTC", metavar="ZONE", help="Whose clock counts; else UTC.")
@click.option(
    "--overlap",
    type=click.Choice(OVERLAPS),
    default="skip",
    help="What happens while the one before still runs; else skip.",
)
@click.option("--timeout", default="1h", metavar="TIME", help="When a run is ended; else 1h.")
@options.in_place
@options.as_json
def add(
    name: str,
    schedule: str,
    command_: str,
    timezone: str,
    overlap: str,
    timeout: str,
    app: str | None,
    environment: str,
    as_json: bool,
) -> None:
    """Run COMMAND by the clock: SCHEDULE is "minute hour day month weekday", or @daily."""
    request = {
        "name": name,
        "schedule": schedule,
        "command": command_,
        "timezone": timezone,
        "overlap": overlap,
        "timeout": _seconds(timeout),
    }
    with platform(as_json=as_json) as client:
        found = verbs.add(client, places.place(client, app, environment), request)
    if as_json:
        tables.document(found)
        return
    voice.say(f"{name} comes next {_moment(found['next'])}.")


@cron.command("remove", examples="perron cron remove nightly")
@click.argument("name")
@options.in_place
def remove(name: str, app: str | None, environment: str) -> None:
    """Run NAME by the clock no more; what runs now runs to its end."""
    with platform() as client:
        verbs.remove(client, places.place(client, app, environment), name)
    voice.say(f"{name} is removed.")


@cron.command("enable", examples="perron cron enable nightly")
@click.argument("name")
@options.in_place
def enable(name: str, app: str | None, environment: str) -> None:
    """Switch NAME on."""
    with platform() as client:
        place = places.place(client, app, environment)
        found = verbs.change(client, place, name, {"enabled": True})
    voice.say(f"{name} comes next {_moment(found['next'])}.")


@cron.command("disable", examples="perron cron disable nightly")
@click.argument("name")
@options.in_place
def disable(name: str, app: str | None, environment: str) -> None:
    """Switch NAME off; it can still be run by hand."""
    with platform() as client:
        place = places.place(client, app, environment)
        verbs.change(client, place, name, {"enabled": False})
    voice.say(f"{name} is off. By hand: perron cron run {name}")


@cron.command("run", examples="perron cron run nightly\nperron cron run nightly --detach")
@click.argument("name")
@options.detached
@of_platform
@options.in_place
@options.as_json
def run(
    name: str, detach: bool, ours: bool, app: str | None, environment: str, as_json: bool
) -> None:
    """Run NAME now, and wait for its end."""
    with platform(as_json=as_json) as client:
        place = None if ours else places.place(client, app, environment)
        asked = verbs.run(client, place, name)
        found = asked if detach else _end_of(client, place, name, asked)
    if as_json:
        tables.document(found)
    if detach:
        voice.say(f"It runs. Next   perron cron history {name} {_flags(place)}")
        return
    code = ENDS.get(found["state"], exits.UNKNOWN)
    if code != exits.DONE:
        logs = f"perron logs {_flags(place)} --source cron" if place else ""
        raise Stop("" if as_json else _told(name, found), code, next="" if as_json else logs)
    voice.say(_told(name, found))


@cron.command("history", examples="perron cron history nightly -n 20")
@click.argument("name")
@click.option("-n", "number", type=click.IntRange(1, 200), default=20, help="How many.")
@of_platform
@options.in_place
@options.shaped
def history(
    name: str, number: int, ours: bool, app: str | None, environment: str, shape: str
) -> None:
    """List what became of each time NAME came: run, skipped or missed."""
    with platform(as_json=shape == "json") as client:
        place = None if ours else places.place(client, app, environment)
        found = list(islice(verbs.runs(client, place, name, limit=number), number))
    tables.listing(found, RUNS, [_run_row(each) for each in found], shape=shape)


def _end_of(
    client: Client, place: Place | None, name: str, asked: dict[str, Any]
) -> dict[str, Any]:
    found = asked
    while found["state"] in UNFINISHED:
        time.sleep(POLL)
        recent = verbs.runs(client, place, name)
        found = next((each for each in recent if each["id"] == asked["id"]), found)
    return found


def _flags(place: Place | None) -> str:
    return f"-a {place.app} -e {place.environment}" if place else "--platform"


def _told(name: str, run: dict[str, Any]) -> str:
    took = words.between(run.get("started"), run.get("finished"))
    lasted = "" if took is None else f" in {words.lasting(took)}"
    why = f": {run['text']}" if run["text"] and run["state"] != "done" else ""
    return f"{name} is {run['state']}{lasted}{why}."


def _row(schedule: dict[str, Any]) -> list[tables.Cell]:
    last = schedule.get("last")
    return [
        schedule["name"],
        f"{schedule['schedule']} {schedule['timezone']}",
        words.when(schedule["next"]) if schedule["enabled"] else "off",
        tables.of_state(last["state"]) if last else None,
        schedule["origin"],
        schedule["command"],
    ]


def _run_row(run: dict[str, Any]) -> list[tables.Cell]:
    took = words.between(run.get("started"), run.get("finished"))
    return [
        words.when(run["fire_at"]),
        tables.of_state(run["state"]),
        None if took is None else words.lasting(took),
        run["exit_code"],
        (run["by_name"] or run["by"]) if run["by_hand"] else "clock",
        run["text"] if run["state"] != "done" else "",
    ]


def _moment(text: str | None) -> str:
    at = words.moment(text)
    return at.astimezone().strftime("%a %d %b %H:%M") if at else "never: it is off"


def _seconds(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        return float(number) * units[unit]
    except ValueError:
        raise Stop(f"{text} is no time; write 30s, 10m or 1h.", MISTYPED) from None
