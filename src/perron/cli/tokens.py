"""``perron tokens``: keys to the API, for CI and other machines."""

from typing import Any

import click

from perron.client import people, verbs

from . import options, tables, voice, words
from .command import group
from .exits import MISTYPED, Stop
from .members import ROLES, name_of
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("TOKEN"),
    Column("NAME"),
    Column("REACHES"),
    Column("PERSON", low=True),
    Column("MADE", low=True),
    Column("LAST USED", low=True),
    Column("ENDS"),
)


@group(default="list")
def tokens() -> None:
    """Make, list and revoke tokens."""


@tokens.command("list", examples="perron tokens\nperron tokens -a shop\nperron tokens --team main")
@click.option("-a", "--app", metavar="NAME", help="Those of this app alone, whoever made them.")
@click.option("--team", metavar="NAME", help="Those of single apps of this team.")
@options.shaped
def list_tokens(app: str | None, team: str | None, shape: str) -> None:
    """List your tokens, or those of an app or team you own; their texts are known to nobody."""
    with platform(as_json=shape == "json") as client:
        if app:
            found = list(people.app_tokens(client, app))
        elif team:
            found = list(people.team_tokens(client, team))
        else:
            found = list(verbs.tokens(client))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@tokens.command(
    "create",
    examples="perron tokens create --name laptop\n"
    "perron tokens create --name ci -a shop --role developer --days 30",
)
@click.option("--name", default="", metavar="NAME", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 365), default=90, help="When it ends; 90.")
@click.option("-a", "--app", metavar="NAME", help="The only app it reaches; else all of yours.")
@click.option("--role", type=ROLES, help="What it may do there; no more than you.")
@options.as_json
def create(name: str, days: int, app: str | None, role: str | None, as_json: bool) -> None:
    """Make a token; it is printed once, on stdout."""
    if bool(app) != bool(role):
        raise Stop("--app and --role go together.", MISTYPED)
    with platform(as_json=as_json) as client:
        found = verbs.create_token(client, name, days, app=app, role=role)
    if as_json:
        tables.document(found)
        return
    voice.say(f"{found['id']}: keep it safe, it is not shown again.")
    voice.data(found["token"])


@tokens.command("revoke", examples="perron tokens revoke tok_0198c5…")
@click.argument("token")
def revoke(token: str) -> None:
    """Revoke TOKEN, named by its id; doing it twice is harmless."""
    with platform() as client:
        verbs.revoke_token(client, token)
    voice.say(f"{token} opens nothing any more.")


def _row(token: dict[str, Any]) -> list[tables.Cell]:
    ends = f"revoked {words.when(token['revoked'])}" if token.get("revoked") else None
    mine = " (this one)" if token.get("current") else ""
    reach = f"{token['app']} as {token['role']}" if token.get("app") else "all you may"
    return [
        token["id"],
        f"{token.get('name') or ''}{mine}".strip(),
        reach,
        name_of(token["person"]) if token.get("person") else None,
        words.when(token.get("created")),
        words.when(token.get("last_used")),
        ends or (words.when(token["expires"]) if token.get("expires") else "never"),
    ]
