"""``perron tokens``: tokens of yours, for CI and other machines."""

from typing import Any

import click

from perron.client import verbs

from . import options, tables, voice, words
from .command import group
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("TOKEN"),
    Column("NAME"),
    Column("MADE", low=True),
    Column("LAST USED", low=True),
    Column("ENDS"),
)


@group(default="list")
def tokens() -> None:
    """Make, list and revoke tokens."""


@tokens.command("list", examples="perron tokens")
@options.shaped
def list_tokens(shape: str) -> None:
    """List your tokens; their texts are known to nobody."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.tokens(client))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@tokens.command("create", examples="perron tokens create --name ci --days 90")
@click.option("--name", default="", metavar="NAME", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="When it ends; else never.")
@options.as_json
def create(name: str, days: int | None, as_json: bool) -> None:
    """Make another token for yourself; it is printed once, on stdout."""
    with platform(as_json=as_json) as client:
        found = verbs.create_token(client, name, days)
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
    return [
        token["id"],
        f"{token.get('name') or ''}{mine}".strip(),
        words.when(token.get("created")),
        words.when(token.get("last_used")),
        ends or (words.when(token["expires"]) if token.get("expires") else "never"),
    ]
