"""``perron transfers``: apps that go to another team."""

from typing import Any

import click

from perron.client import people as verbs

from . import asking, completing, options, tables, voice, words
from .command import group
from .members import name_of
from .platform import platform
from .tables import Column
from .teams import chosen

COLUMNS = (
    Column("APP"),
    Column("FROM"),
    Column("TO"),
    Column("ASKED BY", low=True),
    Column("ASKED"),
)


@group(default="list")
def transfers() -> None:
    """Move an app to another team, when owners of both agree."""


@transfers.command("list", examples="perron transfers")
@options.of_team
@options.shaped
def list_transfers(team: str | None, shape: str) -> None:
    """List apps on their way to the team or from it."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.transfers(client, chosen(client, team)))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@transfers.command("ask", examples="perron transfers ask shop store-team")
@click.argument("app", shell_complete=completing.apps)
@click.argument("team")
@options.confirmed
@options.as_json
def ask(app: str, team: str, yes: bool, as_json: bool) -> None:
    """Offer APP to TEAM, with all it has; an owner there accepts."""
    question = f"Give {app} to team {team}, with its configuration, volumes and history?"
    if not yes and not asking.confirm(question, flag="--yes"):
        return voice.say("Nothing was changed.")
    with platform(as_json=as_json) as client:
        found = verbs.ask_transfer(client, app, team)
    if as_json:
        return tables.document(found)
    if found["state"] == "accepted":
        return voice.say(f"{app} is {team}'s now.")
    return voice.say(f"{app} waits until an owner of {team} says: perron transfers accept {app}")


@transfers.command("accept", examples="perron transfers accept shop")
@click.argument("app")
@options.as_json
def accept(app: str, as_json: bool) -> None:
    """Take APP, which was offered to a team you own."""
    with platform(as_json=as_json) as client:
        found = verbs.accept_transfer(client, app)
    if as_json:
        tables.document(found)
    else:
        voice.say(f"{found['app']} is {found['team']}'s now.")


@transfers.command("withdraw", examples="perron transfers withdraw shop")
@click.argument("app", shell_complete=completing.apps)
def withdraw(app: str) -> None:
    """Let APP stay where it is; owners of either team may say so."""
    with platform() as client:
        verbs.withdraw_transfer(client, app)
    voice.say(f"{app} stays where it is.")


def _row(transfer: dict[str, Any]) -> list[tables.Cell]:
    return [
        transfer["app"],
        transfer["before"],
        transfer["team"],
        name_of(transfer["by"]),
        words.when(transfer["asked"]),
    ]
