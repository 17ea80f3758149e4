"""``perron run`` and ``perron exec``: one command, with a terminal or a pipe."""

import sys
from contextlib import nullcontext
from typing import Any

import click

from perron.client import Client, verbs

from . import completing, options, places, terminal, voice
from .command import command
from .exits import FAILED, Stop
from .platform import platform

PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@command(
    examples="perron run -- python manage.py shell\ncat dump.sql | perron run -- psql",
    context_settings=PASSED_ON,
)
@options.in_place
@click.option("--terminal/--no-terminal", "wanted", default=None, help="A terminal.")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run(words: tuple[str, ...], app: str | None, environment: str, wanted: bool | None) -> int:
    """Run COMMAND once, with the live release's build, config and volumes.

    Its exit code is passed on.
    """
    with platform() as client:
        place = places.place(client, app, environment)
        has_terminal = _terminal(wanted)
        request = {"argv": list(words), "terminal": has_terminal, "interactive": True}
        found = verbs.run(client, place, request)
        path = verbs.attach_path(place, str(found["id"]))
        return _attend(client, path, _size(), has_terminal=has_terminal)


@command(
    "exec",
    examples="perron exec web.1 -- ps aux\nperron exec web.1 -a shop -- sh",
)
@options.in_place
@click.option("--terminal/--no-terminal", "wanted", default=None, help="A terminal.")
@click.argument("instance", shell_complete=completing.instances)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def exec_(
    instance: str,
    words: tuple[str, ...],
    app: str | None,
    environment: str,
    wanted: bool | None,
) -> int:
    """Run COMMAND inside the running INSTANCE, such as web.1.

    Its exit code is passed on.
    """
    with platform() as client:
        place = places.place(client, app, environment)
        has_terminal = _terminal(wanted)
        query: dict[str, Any] = {"arg": list(words), "terminal": str(has_terminal).lower()}
        path = verbs.exec_path(place, instance)
        return _attend(client, path, query | _size(), has_terminal=has_terminal)


def _attend(client: Client, path: str, query: dict[str, Any], *, has_terminal: bool) -> int:
    from perron.client.sessions import SessionLost, attach

    try:
        with (
            attach(client, path, query) as session,
            terminal.raw() if has_terminal else nullcontext(),
        ):
            ended = terminal.lend(session, terminal=has_terminal)
    except SessionLost as why:
        raise Stop(str(why), FAILED) from why
    if ended.code and ended.text and voice.meta("verbose"):
        voice.say(ended.text)
    return ended.code


def _size() -> dict[str, int]:
    rows, columns = terminal.size()
    return {"rows": rows, "columns": columns}


def _terminal(wanted: bool | None) -> bool:
    """Say whether the command gets a terminal: when we have one, unless told otherwise."""
    ours = sys.stdin.isatty() and sys.stdout.isatty()
    if wanted and not sys.stdin.isatty():
        raise click.UsageError("--terminal needs a terminal here too.")
    return ours if wanted is None else wanted
