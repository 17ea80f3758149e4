"""``perron members``: who is in a team, and as what."""

from typing import Any

import click

from perron.client import people as verbs

from . import asking, options, tables, voice, words
from .command import group
from .platform import platform
from .tables import Column
from .teams import chosen

COLUMNS = (
    Column("PERSON"),
    Column("NAME"),
    Column("ROLE"),
    Column("EMPLOYER"),
    Column("JOINED", low=True),
    Column("LAST SEEN", low=True),
)
ROLES = click.Choice(["viewer", "developer", "owner"])


@group(default="list")
def members() -> None:
    """List the members of a team, change their role, take them out."""


@members.command("list", examples="perron members\nperron members --team shop-team --json")
@options.of_team
@options.shaped
def list_members(team: str | None, shape: str) -> None:
    """List who is in the team."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.members(client, chosen(client, team)))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@members.command("role", examples="perron members role sam developer")
@click.argument("person")
@click.argument("role", type=ROLES)
@options.of_team
def change_role(person: str, role: str, team: str | None) -> None:
    """Give PERSON the role ROLE; the last owner stays owner."""
    with platform() as client:
        name = chosen(client, team)
        verbs.change_member(client, name, person, {"role": role})
    voice.say(f"{person} is {role} in {name} now.")


@members.command("employer", examples='perron members employer sam "ACME Ltd"')
@click.argument("person")
@click.argument("employer")
@options.of_team
def change_employer(person: str, employer: str, team: str | None) -> None:
    """Say who PERSON works for; an empty text says nothing."""
    with platform() as client:
        name = chosen(client, team)
        verbs.change_member(client, name, person, {"employer": employer})
    voice.say(f"{person} works for {employer or 'nobody that is known'}, from now on.")


@members.command("remove", examples="perron members remove sam --yes")
@click.argument("person")
@options.of_team
@options.confirmed
def remove(person: str, team: str | None, yes: bool) -> None:
    """Take PERSON out of the team: their sessions and app tokens end at once."""
    with platform() as client:
        name = chosen(client, team)
        question = f"Take {person} out of {name} and end their sessions?"
        if not yes and not asking.confirm(question, flag="--yes"):
            return voice.say("Nothing was changed.")
        verbs.remove_member(client, name, person)
    return voice.say(f"{person} is in {name} no more.")


@members.command("leave", examples="perron members leave --team shop-team --yes")
@options.of_team
@options.confirmed
def leave(team: str | None, yes: bool) -> None:
    """Leave the team; the last owner cannot."""
    with platform() as client:
        name = chosen(client, team)
        if not yes and not asking.confirm(f"Leave team {name}?", flag="--yes"):
            return voice.say("Nothing was changed.")
        verbs.remove_member(client, name, "me")
    return voice.say(f"You are in {name} no more.")


def name_of(person: dict[str, Any]) -> str:
    """Return what to call a person; the id of one who was erased."""
    return str(person.get("handle") or person["id"])


def _row(member: dict[str, Any]) -> list[tables.Cell]:
    return [
        name_of(member["person"]),
        member["person"].get("name"),
        member["role"],
        member.get("employer"),
        words.when(member.get("joined")),
        words.when(member.get("last_seen")),
    ]
