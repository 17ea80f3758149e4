"""``perron audit``: who did what, when, from where; and whether the trail is whole."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import click

from perron.client import audit as verbs

from . import exits, options, tables, voice, words
from .command import group
from .exits import MISTYPED, Stop
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("WHEN"),
    Column("WHO"),
    Column("WHAT"),
    Column("APP", low=True),
    Column("FROM", low=True),
    Column("CHANGE", text=True),
)
ANSWERS = {"whole": exits.DONE, "broken": exits.FAILED, "unknown": exits.UNKNOWN}
QUIET = ("before", "after")  # told as one change


@group(default="list")
def audit() -> None:
    """See who did what, when and from where."""


@audit.command(
    "list",
    examples="""
    perron audit
    perron audit --app shop --since 7d
    perron audit --type release --actor lin
    """,
)
@click.option("-a", "--app", metavar="NAME", help="Only about one app, gone ones too.")
@click.option("-t", "--team", metavar="NAME", help="Only of one team.")
@click.option("--actor", metavar="NAME", help="Only by one: a handle or id; me is you.")
@click.option("--type", "type_", metavar="TYPE", help="Only these: release, config, member.left…")
@click.option("--since", metavar="TIME", help="Not before: 10m, 2h, 7d or a moment.")
@click.option("-n", "number", type=click.IntRange(1), default=50, help="How many.")
@options.shaped
def list_audit(
    app: str | None,
    team: str | None,
    actor: str | None,
    type_: str | None,
    since: str | None,
    number: int,
    shape: str,
) -> None:
    """List what happened, newest first."""
    query = {
        "app": app,
        "team": team,
        "actor": actor,
        "type": type_,
        "since": words.since(since) if since else None,
        "limit": min(number, 500),
    }
    with platform(as_json=shape == "json") as client:
        found = list(islice(verbs.events(client, query), number))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@audit.command("verify", examples="perron audit verify\nperron audit verify --head kept.json")
@click.option(
    "--head",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A head kept elsewhere, as perron audit head printed it.",
)
@options.as_json
def verify(head: Path | None, as_json: bool) -> None:
    """Verify that nothing was changed or cut: 0 whole, 1 broken, 7 cannot be told."""
    with platform(as_json=as_json) as client:
        found = verbs.verify(client, _head(head) if head else None)
    code = ANSWERS.get(found["answer"], exits.UNKNOWN)
    if as_json:
        tables.document(found)
    elif code == exits.DONE:
        voice.data(f"{voice.mark('pass')} {found['text']}")
    if code != exits.DONE:
        raise Stop("" if as_json else _told(found), code)


@audit.command("head", examples="perron audit head > kept.json")
def head() -> None:
    """Print the newest signed head: kept elsewhere, it shows what every file here could hide."""
    with platform(as_json=True) as client:
        found = verbs.head(client)
    if found["head"] is None:
        raise Stop("No head was signed yet; the server signs one within a second.", exits.UNKNOWN)
    if found["fault"]:
        voice.say(f"{voice.mark('failed')} {found['fault']['text']}")
    tables.document(found["head"])


@audit.command("accept", examples='perron audit accept --why "The disk lost its last minute."')
@click.option("--why", required=True, metavar="TEXT", help="Stands in the trail for ever.")
def accept(why: str) -> None:
    """Accept that events at the end are missing, so that heads are signed again."""
    with platform() as client:
        found = verbs.accept(client, why)
    voice.say(f"The trail goes on from event {found['position']}; that you accepted it is in it.")


def _head(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except ValueError as why:
        raise Stop(f"{path} is no JSON: {why}.", MISTYPED) from why
    if not isinstance(found, dict):
        raise Stop(f"{path} is no head; perron audit head prints one.", MISTYPED)
    return found


def _told(found: dict[str, Any]) -> str:
    if not found["faults"]:
        return f"Cannot be told. {found['text']}"
    lines = [f"{voice.mark('failed')} {each['text']}" for each in found["faults"]]
    return "\n".join(["The trail is broken.", *lines])


def _row(entry: dict[str, Any]) -> list[tables.Cell]:
    actor, app, caller = entry["actor"], entry.get("app"), entry.get("from")
    return [
        words.when(entry["at"]),
        actor.get("name") or actor["id"],
        entry["type"].removeprefix("perron.").rpartition(".")[0],
        (app.get("name") or app["id"]) if app else None,
        caller["address"] if caller else None,
        _change(entry),
    ]


def _change(entry: dict[str, Any]) -> str:
    if entry.get("before") is not None:
        return f"{_short(entry['before'])} → {_short(entry.get('after'))}"
    told = {name: value for name, value in entry["data"].items() if name not in QUIET}
    return ", ".join(f"{name}={_short(value)}" for name, value in told.items() if value is not None)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_short(each)}" for name, each in value.items())
    if isinstance(value, list):
        return " ".join(_short(each) for each in value)
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
