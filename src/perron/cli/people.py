"""``perron people``: who is here, for administrators."""

from typing import Any

import click

from perron.client import people as verbs

from . import asking, options, tables, voice, words
from .command import group
from .pages_of import address_of
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("PERSON"),
    Column("NAME"),
    Column("ADMINISTRATOR"),
    Column("LAST SEEN", low=True),
    Column("TEAMS", text=True),
)


@group(default="list")
def people() -> None:
    """List people, make administrators, reset passwords, erase who is gone."""


@people.command("list", examples="perron people")
@options.shaped
def list_people(shape: str) -> None:
    """List everybody."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.people(client))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@people.command("promote", examples="perron people promote sam")
@click.argument("person")
def promote(person: str) -> None:
    """Make PERSON an administrator of the platform."""
    with platform() as client:
        verbs.set_administrator(client, person, on=True)
    voice.say(f"{person} administers the platform from now on.")


@people.command("demote", examples="perron people demote sam")
@click.argument("person")
def demote(person: str) -> None:
    """Let PERSON be no administrator any more; the last one stays."""
    with platform() as client:
        verbs.set_administrator(client, person, on=False)
    voice.say(f"{person} administers the platform no more.")


@people.command("reset", examples="perron people reset sam")
@click.argument("person")
@options.as_json
def reset(person: str, as_json: bool) -> None:
    """Print a link by which PERSON sets a new password, once, within a day."""
    with platform(as_json=as_json) as client:
        found = verbs.reset_password(client, person)
        found["url"] = address_of(client, found["path"])
    if as_json:
        tables.document(found)
        return
    voice.say(f"For {person} and nobody else, until {words.when(found['expires'])}:")
    voice.data(found["url"])


@people.command("erase", examples="perron people erase sam --yes sam")
@click.argument("person")
@click.option("-y", "--yes", "said", metavar="NAME", help="The handle, said again.")
def erase(person: str, said: str | None) -> None:
    """Forget name and e-mail of PERSON, who comes in no more; what they did stays, under an id."""
    with platform() as client:
        asking.confirm_name(person, said, what="person")
        verbs.erase_person(client, person)
    voice.say(f"{person} is forgotten.")


def _row(person: dict[str, Any]) -> list[tables.Cell]:
    teams = ", ".join(f"{team} ({role})" for team, role in sorted(person["teams"].items()))
    administrator = "yes" if person["administrator"] else ""
    seen = words.when(person.get("last_seen"))
    return [person["handle"], person["name"], administrator, seen, teams]
