"""``perron releases``, ``rollback`` and ``cancel``."""

import time
from itertools import islice
from typing import Any

import click

from perron.client import Client, Place, Refused, verbs

from . import asking, comparing, completing, options, places, tables, voice, words
from .command import command, group
from .exits import NOT_FOUND, REFUSED, Stop
from .following import operation_of
from .platform import platform
from .released import finish
from .steps import Board
from .tables import Column

COLUMNS = (
    Column("RELEASE", figure=True),
    Column("STATE"),
    Column("SINCE"),
    Column("BY", low=True),
    Column("LOST", figure=True, low=True),
    Column("CHANGE", text=True),
)


@group(default="list")
def releases() -> None:
    """List, show and compare releases."""


@releases.command("list", examples="perron releases list -a shop -n 50")
@options.in_place
@click.option("-n", "number", type=click.IntRange(1), default=20, help="How many.")
@options.shaped
def list_releases(app: str | None, environment: str, number: int, shape: str) -> None:
    """List releases, newest first."""
    with platform(as_json=shape == "json") as client:
        place = places.place(client, app, environment)
        found = list(islice(verbs.releases(client, place, limit=number), number))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@releases.command("show", examples="perron releases show 7")
@click.argument("number", type=int, shell_complete=completing.releases)
@options.in_place
@options.as_json
def show(number: int, app: str | None, environment: str, as_json: bool) -> None:
    """Show everything that is known of release NUMBER."""
    with platform(as_json=as_json) as client:
        found = verbs.release(client, places.place(client, app, environment), number)
    if as_json:
        tables.document(found)
    else:
        comparing.show_release(found)


@releases.command("diff", examples="perron releases diff 4 7")
@click.argument("before", type=int, shell_complete=completing.releases)
@click.argument("after", type=int, shell_complete=completing.releases)
@options.in_place
@options.as_json
def diff(before: int, after: int, app: str | None, environment: str, as_json: bool) -> None:
    """Show what differs between two releases."""
    with platform(as_json=as_json) as client:
        found = verbs.diff(client, places.place(client, app, environment), before, after)
    if as_json:
        tables.document(found)
    else:
        for line in comparing.lines(found):
            voice.data(line)


@command(examples="perron rollback\nperron rollback 7 --yes")
@click.argument("number", type=int, shell_complete=completing.releases, required=False)
@options.in_place
@options.confirmed
@options.detached
@options.as_json
def rollback(
    number: int | None, app: str | None, environment: str, yes: bool, detach: bool, as_json: bool
) -> None:
    """Go back to release NUMBER, or to the one that was live before.

    The difference is shown first. Secrets that were changed since stay as they are now.
    """
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        live, target = _ends(client, place, number)
        if not as_json:
            found = verbs.diff(client, place, live, target, rollback=True)
            comparing.say_difference(found, live, target)
        if not yes and not asking.confirm(f"Roll back to {target}?", flag="--yes"):
            raise Stop("Nothing was changed.", REFUSED)
        began = time.monotonic()
        release = verbs.roll_back(client, place, target)
        if detach:
            tables.document(release) if as_json else voice.data(release["url"])
            return
        verb = f"({target} again) is live"
        finish(client, place, release, Board(quiet=as_json), began, as_json=as_json, verb=verb)


@command(examples="perron cancel -a shop")
@options.in_place
@options.as_json
def cancel(app: str | None, environment: str, as_json: bool) -> None:
    """Stop the deploy that is under way; what is live goes on."""
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        try:
            answer = verbs.act(client, place, "cancel")
        except Refused as why:
            if why.status == 409:
                raise Stop(why.detail, REFUSED) from why
            raise
    if as_json:
        tables.document(answer)
        return
    voice.say("Cancelled; what was live goes on.")
    if operation := operation_of(answer):
        voice.say(f"Next   perron operations show {operation}")


def _ends(client: Client, place: Place, number: int | None) -> tuple[int, int]:
    """Return the release that is live and the one to go back to."""
    live = None
    for each in verbs.releases(client, place):
        if each["state"] == "live":
            live = int(each["number"])
            if number is not None:
                return live, number
        elif each["state"] == "replaced" and live is not None:
            return live, int(each["number"])
    if live is None:
        raise Stop(f"Nothing is live in {place.environment} to go back from.", NOT_FOUND)
    raise Stop(f"No release was live before {live}.", NOT_FOUND)


def _row(release: dict[str, Any]) -> list[tables.Cell]:
    lost = release.get("lost")
    return [
        release["number"],
        tables.of_state(release["state"]),
        words.when(release.get("live") or release.get("asked")),
        release.get("by_name") or release.get("by"),
        "?" if lost is None else sum(lost.values()),
        comparing.change(release),
    ]
