"""``perron config``: configuration and secrets of an environment."""

import time
from pathlib import Path
from typing import Any

import click

from perron.client import Client, Place, verbs

from . import assigning, options, places, tables, voice, words
from .command import group
from .platform import platform
from .released import finish
from .steps import Board
from .tables import Column

COLUMNS = (
    Column("NAME"),
    Column("KIND"),
    Column("CHANGED", low=True),
    Column("VALUE", text=True),
)


@group(default="list")
def config() -> None:
    """Set, import and list configuration and secrets."""


@config.command("list", examples="perron config -a shop")
@options.in_place
@options.shaped
def list_config(app: str | None, environment: str, shape: str) -> None:
    """List every key; secrets are masked."""
    with platform(as_json=shape == "json") as client:
        found = verbs.config(client, places.place(client, app, environment))
    if shape == "json":
        tables.document(found)
        return
    tables.show(COLUMNS, [_row(each) for each in found["entries"]], tsv=shape == "tsv")


@config.command(
    "set",
    examples="""
    perron config set --plain LOG_LEVEL=info
    perron config set API_TOKEN=-            reads the value from stdin
    perron config set API_TOKEN@token.txt    reads it from a file
    """,
)
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--plain", is_flag=True, help="No secrets: show the values in lists.")
@click.option("--build", is_flag=True, help="Builds see them too.")
@options.in_place
@options.detached
@options.as_json
def set_config(
    pairs: tuple[str, ...],
    plain: bool,
    build: bool,
    app: str | None,
    environment: str,
    detach: bool,
    as_json: bool,
) -> None:
    """Set keys, all together; what is live is released again with them.

    What is typed as KEY=VALUE can be seen in the shell's history and by others on this machine
    while the command runs. Say KEY=- or KEY@FILE for a secret, or import a file.
    """
    values = assigning.of_pairs(pairs)
    change = {"set": _assignments(values, secret=not plain, build=build)}
    _change(change, app, environment, detach=detach, as_json=as_json)


@config.command("unset", examples="perron config unset LOG_LEVEL")
@click.argument("names", nargs=-1, required=True, metavar="KEY...")
@options.in_place
@options.detached
@options.as_json
def unset_config(
    names: tuple[str, ...], app: str | None, environment: str, detach: bool, as_json: bool
) -> None:
    """Unset keys, all together."""
    _change({"unset": list(names)}, app, environment, detach=detach, as_json=as_json)


@config.command("import", examples="perron config import .env\ncat .env | perron config import -")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default=".env")
@click.option("--plain", is_flag=True, help="No secrets: show the values in lists.")
@click.option("--build", is_flag=True, help="Builds see them too.")
@options.in_place
@options.detached
@options.as_json
def import_config(
    file: Path,
    plain: bool,
    build: bool,
    app: str | None,
    environment: str,
    detach: bool,
    as_json: bool,
) -> None:
    """Set every KEY=VALUE of FILE (.env by default; - is stdin)."""
    values = assigning.of_file(file)
    change = {"set": _assignments(values, secret=not plain, build=build)}
    _change(change, app, environment, detach=detach, as_json=as_json)


@config.command("reveal", examples="perron config reveal API_TOKEN")
@click.argument("name")
@options.in_place
@options.as_json
def reveal(name: str, app: str | None, environment: str, as_json: bool) -> None:
    """Print the value of key NAME; that you did is written down."""
    with platform(as_json=as_json) as client:
        found = verbs.reveal(client, places.place(client, app, environment), name)
    tables.document(found) if as_json else voice.data(found["value"])


def _change(
    change: dict[str, Any], app: str | None, environment: str, *, detach: bool, as_json: bool
) -> None:
    began = time.monotonic()
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        answer = verbs.change_config(client, place, change)
        told = [f"{name} is set." for name in change.get("set", {})]
        told += [f"{name} is unset." for name in change.get("unset", [])]
        for line in told if not as_json else []:
            voice.say(line)
        _follow(client, place, answer, began, detach=detach, as_json=as_json)


def _follow(
    client: Client,
    place: Place,
    answer: dict[str, Any],
    began: float,
    *,
    detach: bool,
    as_json: bool,
) -> None:
    if answer.get("release") is None or detach:
        if as_json:
            tables.document(answer)
        return
    release = verbs.release(client, place, answer["release"])
    named = f"{place.app}, {place.environment}: release {release['number']}, the same build"
    board = Board(quiet=as_json)
    board.note(f"{named}, new config") if not as_json else None
    finish(client, place, release, board, began, as_json=as_json)


def _assignments(values: dict[str, str], *, secret: bool, build: bool) -> dict[str, Any]:
    return {
        name: {"value": value, "secret": secret, "build": build} for name, value in values.items()
    }


def _row(entry: dict[str, Any]) -> list[tables.Cell]:
    kind = "secret" if entry["secret"] else "plain"
    shown = str(entry["value"]).replace("\n", "\\n")
    return [
        entry["name"],
        f"{kind}, build" if entry.get("build") else kind,
        words.when(entry.get("changed")),
        shown,
    ]
