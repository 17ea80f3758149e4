"""``perron logins``: the browsers you are signed in with."""

from typing import Any

import click

from perron.client import people as verbs

from . import options, tables, voice, words
from .command import group
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("SESSION"),
    Column("OPENED", low=True),
    Column("LAST USED"),
    Column("FROM"),
    Column("ENDS", low=True),
    Column("BROWSER", text=True),
)


@group(default="list")
def logins() -> None:
    """List the browsers you are signed in with, and sign them out."""


@logins.command("list", examples="perron logins")
@options.shaped
def list_logins(shape: str) -> None:
    """List your browsers; tokens are listed by perron tokens."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.sessions(client))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@logins.command("end", examples="perron logins end ses_0198c5…\nperron logins end --all")
@click.argument("session", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Every browser.")
def end(session: str | None, everywhere: bool) -> None:
    """Sign the browser of SESSION out."""
    if not session and not everywhere:
        raise click.UsageError("Name a session, or say --all.")
    with platform() as client:
        ids = [str(each["id"]) for each in verbs.sessions(client)] if everywhere else [session]
        for id in ids:
            verbs.end_session(client, str(id))
    voice.say(f"Signed out: {len(ids)}.")


def _row(session: dict[str, Any]) -> list[tables.Cell]:
    return [
        session["id"],
        words.when(session["created"]),
        words.when(session["last_used"]),
        session.get("from"),
        words.when(session["expires"]),
        session.get("agent"),
    ]
