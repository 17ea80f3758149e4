"""``perron teams``: who answers for apps together."""

import click

from perron.client import Client
from perron.client import people as verbs

from . import asking, options, tables, voice
from .command import group
from .exits import MISTYPED, NOT_FOUND, Stop
from .platform import platform
from .tables import Column

COLUMNS = (Column("TEAM"), Column("YOUR ROLE"), Column("MEMBERS", figure=True), Column("ID"))


@group(default="list")
def teams() -> None:
    """List, create, rename and delete teams."""


@teams.command("list", examples="perron teams")
@options.shaped
def list_teams(shape: str) -> None:
    """List your teams; administrators see all."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.teams(client))
    rows = [[each["name"], each.get("role"), each["members"], each["id"]] for each in found]
    tables.listing(found, COLUMNS, rows, shape=shape)


@teams.command("create", examples="perron teams create shop-team")
@click.argument("name")
@options.as_json
def create(name: str, as_json: bool) -> None:
    """Found team NAME, and be its owner."""
    with platform(as_json=as_json) as client:
        team = verbs.create_team(client, name)
    if as_json:
        tables.document(team)
        return
    voice.say(f"Team {name} is there; you own it.")
    voice.say(f"Next   perron invitations create --team {name} --role developer")


@teams.command("rename", examples="perron teams rename shop-team store-team")
@click.argument("name")
@click.argument("to")
def rename(name: str, to: str) -> None:
    """Give team NAME the name TO."""
    with platform() as client:
        team = verbs.rename_team(client, name, to)
    voice.say(f"{name} is called {team['name']} now.")


@teams.command("delete", examples="perron teams delete shop-team --yes shop-team")
@click.argument("name")
@click.option("-y", "--yes", "said", metavar="NAME", help="The team's name, said again.")
def delete(name: str, said: str | None) -> None:
    """Delete team NAME, which has no apps; everybody leaves it."""
    with platform() as client:
        asking.confirm_name(name, said, what="team")
        verbs.delete_team(client, name)
    voice.say(f"Team {name} is gone.")


def chosen(client: Client, name: str | None) -> str:
    """Return the team that was named, or the only one you are in."""
    if name:
        return name
    mine = [str(each["name"]) for each in verbs.teams(client) if each.get("role")]
    if len(mine) == 1:
        return mine[0]
    if not mine:
        raise Stop("You are in no team.", NOT_FOUND, next="perron teams create NAME")
    raise Stop(f"You are in several teams; say --team, one of: {', '.join(mine)}.", MISTYPED)
