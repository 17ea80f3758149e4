"""``perron passwd``: another password, never seen on a command line."""

import sys

import click

from perron.client import people, verbs

from . import asking, voice
from .command import command
from .exits import MISTYPED, Stop
from .platform import platform


@command(examples="perron passwd")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read them from stdin, one a line.")
def passwd(from_stdin: bool) -> None:
    """Set your password; every browser you are signed in with is signed out.

    With --stdin the first line is the present password, if there is one, then the new one.
    """
    with platform() as client:
        has_one = bool(verbs.me(client)["has_password"])
        change = _from_stdin(has_one) if from_stdin else _asked(has_one)
        people.change_me(client, change)
    voice.say("The password is changed.")


def _asked(has_one: bool) -> dict[str, str]:
    old = asking.secret("Present password", flag="--stdin") if has_one else ""
    new = asking.secret("New password", flag="--stdin")
    if asking.secret("New password again", flag="--stdin") != new:
        raise Stop("The two are not the same; nothing was changed.", MISTYPED)
    return _change(old, new)


def _from_stdin(has_one: bool) -> dict[str, str]:
    old = sys.stdin.readline().rstrip("\n") if has_one else ""
    return _change(old, sys.stdin.readline().rstrip("\n"))


def _change(old: str, new: str) -> dict[str, str]:
    return {"password": new} | ({"old_password": old} if old else {})
