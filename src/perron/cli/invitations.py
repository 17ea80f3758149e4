"""``perron invitations``: links that let somebody into a team, once."""

from typing import Any

import click

from perron.client import people as verbs

from . import options, tables, voice, words
from .command import group
from .members import ROLES, name_of
from .pages_of import address_of
from .platform import platform
from .tables import Column
from .teams import chosen

COLUMNS = (
    Column("INVITATION"),
    Column("ROLE"),
    Column("STATE"),
    Column("EMPLOYER", low=True),
    Column("BY", low=True),
    Column("ENDS"),
    Column("NOTE", text=True),
)


@group(default="list")
def invitations() -> None:
    """Invite somebody into a team, list and revoke invitations."""


@invitations.command("list", examples="perron invitations")
@options.of_team
@options.shaped
def list_invitations(team: str | None, shape: str) -> None:
    """List whom the team invited; the links are not known any more."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.invitations(client, chosen(client, team)))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@invitations.command(
    "create", examples='perron invitations create --role developer --employer "ACME Ltd"'
)
@click.option("--role", type=ROLES, default="developer", help="What they shall be; developer.")
@click.option("--employer", metavar="NAME", help="Who they work for.")
@click.option("--note", metavar="TEXT", help="Whom it is for, for your own list.")
@options.of_team
@options.as_json
def create(
    role: str, employer: str | None, note: str | None, team: str | None, as_json: bool
) -> None:
    """Print a link that lets whoever opens it into the team, once, within a week."""
    with platform(as_json=as_json) as client:
        name = chosen(client, team)
        request = {"role": role, "employer": employer, "note": note}
        found = verbs.invite(client, name, request)
        found["url"] = address_of(client, found["path"])
    if as_json:
        tables.document(found)
        return
    voice.say(f"Lets one person into {name} as {role}, until {words.when(found['expires'])}:")
    voice.data(found["url"])


@invitations.command("revoke", examples="perron invitations revoke inv_0198c5…")
@click.argument("invitation")
@options.of_team
def revoke(invitation: str, team: str | None) -> None:
    """Revoke INVITATION, named by its id."""
    with platform() as client:
        verbs.revoke_invitation(client, chosen(client, team), invitation)
    voice.say(f"{invitation} lets nobody in any more.")


@invitations.command("accept", examples="perron invitations accept http://…/invite/9f2c…")
@click.argument("link")
def accept(link: str) -> None:
    """Come into the team of LINK, as who you are signed in."""
    with platform() as client:
        found = verbs.accept(client, link.rstrip("/").rpartition("/")[2])
    voice.say(f"You are {found['role']} in {found['team']} now.")


def _row(invitation: dict[str, Any]) -> list[tables.Cell]:
    return [
        invitation["id"],
        invitation["role"],
        invitation["state"],
        invitation.get("employer"),
        name_of(invitation["by"]),
        words.when(invitation["expires"]),
        invitation.get("note"),
    ]
