"""``perron ps``, ``scale``, ``restart``, ``stop`` and ``start``."""

from typing import Any

import click

from perron.client import Client, Place, verbs

from . import limits, options, places, tables, voice, waiting, words
from .command import command
from .exits import MISTYPED, Stop
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("INSTANCE"),
    Column("RELEASE", figure=True),
    Column("STATE"),
    Column("CPU", figure=True, low=True),
    Column("MEMORY", figure=True, low=True),
    Column("UP", figure=True),
    Column("RESTARTS", figure=True, low=True),
    Column("LAST EXIT", text=True),
)


@command(examples="perron ps\nperron ps -a shop -e staging\nperron ps --json")
@options.in_place
@options.shaped
def ps(app: str | None, environment: str, shape: str) -> None:
    """List instances and how they are, and what bounds each process type."""
    with platform(as_json=shape == "json") as client:
        place = places.place(client, app, environment)
        found = list(verbs.instances(client, place))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)
    if not found and shape == "table":
        voice.say(f"Nothing runs in {place.environment} of {place.app}.")
    if shape == "table":
        for line in limits.lines(found, before="Limits of "):
            voice.say(line)
    for each in found if voice.meta("verbose") else []:
        voice.say(f"{each['name']}: id {each['id']}")


@command(examples="perron scale web=3 worker=1\nperron scale")
@click.argument("processes", nargs=-1, metavar="[NAME=COUNT]...")
@options.in_place
@options.detached
@options.as_json
def scale(
    processes: tuple[str, ...], app: str | None, environment: str, detach: bool, as_json: bool
) -> None:
    """Change how many instances of each process type run; without NAME=COUNT, show it."""
    wanted = dict(_count(each) for each in processes)
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        if not wanted:
            _show_scale(client, place, as_json=as_json)
            return
        answer = verbs.change_scale(client, place, wanted)
        told = ", ".join(f"{count} {name}" for name, count in wanted.items())
        waiting.finish(client, place, answer, f"{told}.", detach=detach, as_json=as_json)


@command(examples="perron restart -a shop")
@options.in_place
@options.detached
@options.as_json
def restart(app: str | None, environment: str, detach: bool, as_json: bool) -> None:
    """Replace the instances by new ones, one after the other; no request is lost."""
    _act("restart", "Restarted.", app, environment, detach=detach, as_json=as_json)


@command(examples="perron stop -a shop -e staging")
@options.in_place
@options.detached
@options.as_json
def stop(app: str | None, environment: str, detach: bool, as_json: bool) -> None:
    """Stop every instance; visitors see that it was stopped."""
    done = "Stopped. perron start brings it back."
    _act("stop", done, app, environment, detach=detach, as_json=as_json)


@command(examples="perron start -a shop")
@options.in_place
@options.detached
@options.as_json
def start(app: str | None, environment: str, detach: bool, as_json: bool) -> None:
    """Start what was stopped, at its former scale."""
    _act("start", "Started.", app, environment, detach=detach, as_json=as_json)


def _act(
    verb: str, done: str, app: str | None, environment: str, *, detach: bool, as_json: bool
) -> None:
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        answer = verbs.act(client, place, verb)
        waiting.finish(client, place, answer, done, detach=detach, as_json=as_json)


def _show_scale(client: Client, place: Place, *, as_json: bool) -> None:
    found = verbs.scale(client, place)
    if as_json:
        tables.document(found)
        return
    rows = sorted(found["processes"].items())
    tables.show((Column("PROCESS"), Column("INSTANCES", figure=True)), rows)


def _count(text: str) -> tuple[str, int]:
    name, equals, count = text.partition("=")
    if not equals or not name or not (count.isascii() and count.isdigit()):
        raise Stop(f"{text} is no scale; write web=3.", MISTYPED)
    return name, int(count)


def _row(instance: dict[str, Any]) -> list[tables.Cell]:
    cpu, state = instance.get("cpu"), str(instance["state"])
    return [
        instance["name"],
        instance["release"],
        tables.of_state(state, _state_words(instance, state)),
        "?" if cpu is None else f"{cpu * 100:.0f} %",
        _memory(instance),
        words.age(instance.get("started")),
        instance.get("restarts"),
        _last_exit(instance),
    ]


def _state_words(instance: dict[str, Any], state: str) -> str:
    if state in ("backoff", "crashed") and instance.get("message"):
        return str(instance["message"]).split(";")[0].rstrip(".")
    return state.capitalize()


def _memory(instance: dict[str, Any]) -> str:
    used, limit = instance.get("memory"), instance.get("memory_limit")
    if used is None:
        return "?"
    return f"{used >> 20}/{limit >> 20} M" if limit else f"{used >> 20} M"


def _last_exit(instance: dict[str, Any]) -> str | None:
    if not instance.get("last_exit"):
        return None
    return f"{words.when(instance.get('last_exit_at'))}, {instance['last_exit']}"
