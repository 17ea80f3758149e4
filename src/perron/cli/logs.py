"""``perron logs``: read and follow an environment's logs."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import click

from perron.client import Client, Place, verbs

from . import options, places, tables, voice, words
from .command import command
from .exits import LEFT, Stop
from .platform import platform

SOURCES = ("app", "build", "release", "run", "cron", "router", "platform")
PAGE = 1000
NEWEST = 100


@command(
    examples="""
    perron logs -f
    perron logs --since 10m --process web --grep error
    perron logs --source build --release 42
    """
)
@options.in_place
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come.")
@click.option("--process", metavar="NAME", help="Of one process type, such as web.")
@click.option("--release", type=int, metavar="N", help="Of one release.")
@click.option("--instance", metavar="NAME", help="Of one instance, such as web.1.")
@click.option("--source", type=click.Choice(SOURCES), help="Of one source.")
@click.option("--since", metavar="TIME", help="Not before: 10m, 2h or a moment.")
@click.option("--until", metavar="TIME", help="Not after.")
@click.option("--grep", "text", metavar="TEXT", help="Only lines that contain TEXT.")
@click.option("-n", "number", type=click.IntRange(1), help="At most so many lines, the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def logs(
    app: str | None,
    environment: str,
    follow: bool,
    number: int | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Read logs, oldest line first: the newest 100 lines, or all since --since."""
    for key in ("since", "until"):
        filters[key] = words.since(filters[key]) if filters[key] else None
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        last = ""
        try:
            for line in _lines(client, place, filters, number):
                last = str(line["cursor"])
                _show(line, as_json=as_json)
            if follow:
                _follow(client, place, filters, last, as_json=as_json)
        except KeyboardInterrupt:
            raise Stop("", LEFT) from None


def _lines(
    client: Client, place: Place, filters: dict[str, Any], number: int | None
) -> Iterable[dict[str, Any]]:
    """Give the newest ``number`` lines (100 by default), or every line since a moment."""
    if filters["since"] is None:
        return _newest(client, place, filters, number or NEWEST)
    found = _since(client, place, filters)
    return found if number is None else deque(found, maxlen=number)


def _newest(
    client: Client, place: Place, filters: dict[str, Any], number: int
) -> list[dict[str, Any]]:
    """Ask for the newest lines; the platform answers with them when no start is named."""
    if number <= PAGE:
        return list(verbs.logs(client, place, filters | {"limit": number})["lines"])
    everything = filters | {"since": "1970-01-01T00:00:00Z"}
    return list(deque(_since(client, place, everything), maxlen=number))


def _since(client: Client, place: Place, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every line since a moment, page by page."""
    after = None
    while True:
        page = verbs.logs(client, place, filters | {"after": after, "limit": PAGE})
        yield from page["lines"]
        if not page["lines"] or page["next"] == after:
            return
        after = page["next"]


def _follow(
    client: Client, place: Place, filters: dict[str, Any], last: str, *, as_json: bool
) -> None:
    query = filters if last else filters | {"after": None}
    for event in client.follow(f"{place.path}/logs/follow", query, last=last):
        if not isinstance(event.data, dict):
            continue
        if "text" in event.data:
            _show(event.data, as_json=as_json)
        for line in event.data.get("lines", []):
            _show(line, as_json=as_json)


def _show(line: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        tables.line(line)
        return
    if line.get("gap"):
        voice.say(f"({voice.harmless(str(line['gap']))})")
    voice.data(text_of(line))


def text_of(line: dict[str, Any]) -> str:
    """Return a line as it is shown: time, where it comes from, release, text."""
    import sys

    at = words.clock_time(line.get("time"), millis=True) + ("~" if line.get("late") else " ")
    where = line.get("instance") or line.get("process") or line.get("source") or ""
    release = line.get("release")
    head = f"{at} {where:<9} {'' if release is None else release:>3}"
    colour = voice.has_colour(sys.stdout)
    return (
        f"{voice.paint(head, voice.DIM, sys.stdout)}  {voice.harmless(line['text'], colour=colour)}"
    )
