"""``perron quotas``: what a team may have, and how much of it is used."""

from typing import Any

import click

from perron.client import Client, verbs
from perron.client import quotas as bounds

from . import options, tables, voice, words
from .command import group
from .exits import MISTYPED, Stop
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("QUOTA"),
    Column("USED", figure=True),
    Column("LIMIT", figure=True),
    Column("SET BY", low=True),
)
SIZES = ("memory", "disk")


@group(default="list")
def quotas() -> None:
    """See and set what a team may have."""


@quotas.command("list", examples="perron quotas\nperron quotas --team blue --json")
@click.option("-t", "--team", metavar="NAME", help="The team; else yours, when it is one.")
@options.shaped
def list_quotas(team: str | None, shape: str) -> None:
    """List what a team may have, and how much of it is used; ? is unknown."""
    with platform(as_json=shape == "json") as client:
        found = bounds.show(client, team or _only_team(client))
    if shape == "table":
        voice.say(f"Team {found['name']}")
    rows = [_row(each) for each in found["quotas"]]
    tables.listing(found["quotas"], COLUMNS, rows, shape=shape)


@quotas.command(
    "set", examples="perron quotas set blue apps=20 memory=64G\nperron quotas set blue apps=default"
)
@click.argument("team")
@click.argument("assignments", metavar="NAME=LIMIT...", nargs=-1, required=True)
@options.as_json
def set_quotas(team: str, assignments: tuple[str, ...], as_json: bool) -> None:
    """Give TEAM other bounds; what it has already, it keeps. For administrators."""
    wanted = dict(_bound(each) for each in assignments)
    with platform(as_json=as_json) as client:
        found = bounds.change(client, team, wanted)
    if as_json:
        tables.document(found)
        return
    for each in found["quotas"]:
        if each["name"] in wanted:
            voice.say(f"{found['name']} may have {_amount(each, each['limit'])} {each['name']}.")


def _only_team(client: Client) -> str:
    teams = sorted(verbs.me(client)["teams"])
    if len(teams) != 1:
        told = f" You are in: {', '.join(teams)}." if teams else ""
        raise Stop(f"Say which team: --team NAME.{told}", MISTYPED)
    return str(teams[0])


def _bound(assignment: str) -> tuple[str, float | None]:
    name, is_given, value = assignment.partition("=")
    if not is_given or not name:
        raise Stop(f"{assignment} is no bound; write apps=20, memory=64G or cpu=default.", MISTYPED)
    if value == "default":
        return name, None
    if name in SIZES and value != "0":
        return name, words.bytes_in(value)
    try:
        return name, float(value)
    except ValueError:
        raise Stop(f"{value} is no number; write {name}=20 or {name}=default.", MISTYPED) from None


def _row(quota: dict[str, Any]) -> list[tables.Cell]:
    return [
        quota["name"].replace("_", " "),
        _amount(quota, quota["used"]),
        _amount(quota, quota["limit"]),
        "default" if quota["is_default"] else "administrator",
    ]


def _amount(quota: dict[str, Any], number: float | None) -> str:
    if quota["unit"] == "bytes":
        return words.size(number)
    return "?" if number is None else f"{number:,.1f}".removesuffix(".0")
