"""``perron login``, ``logout``, ``whoami`` and ``contexts``."""

import os
import sys
from contextlib import suppress
from typing import Any

import click

from perron.client import AddressRefused, Client, ContextRefused, Fault, Refused, Unreachable, verbs
from perron.client import contexts as book

from . import approving, asking, options, tables, voice
from .command import command, group
from .exits import MISTYPED, NOT_ALLOWED, NOT_FOUND, UNREACHABLE, Stop
from .platform import platform
from .tables import Column


@command(
    examples="""
    perron login https://perron.example.org
    perron login https://perron.example.org --link
    echo $TOKEN | perron login http://perron.localhost:8080 --token-stdin
    """
)
@click.argument("url", required=False)
@click.option("--link", is_flag=True, help="Print the address; open no browser.")
@click.option("--token", "by_token", is_flag=True, help="Ask for a token; use no browser.")
@click.option("--token-stdin", is_flag=True, help="Read a token from stdin.")
@click.option("--name", metavar="NAME", help="The context's name; else the host.")
@click.option("--ca", metavar="FILE", default="", envvar="PERRON_CA", help="Who to trust (PEM).")
def login(
    url: str | None, link: bool, by_token: bool, token_stdin: bool, name: str | None, ca: str
) -> None:
    """Sign in to the platform at URL through a browser, and use it from now on.

    A page shows the code that is shown here; who is signed in there approves it.
    """
    url = url or _known_url()
    made = ""
    try:
        client = Client(url, authorities=ca)
        if by_token or token_stdin:
            token = _token(client.address.url, token_stdin)
        else:
            token, made = approving.let_in(client, only_link=link)
        client = Client(url, token, authorities=ca)
        me = verbs.me(client)
    except AddressRefused as why:
        raise Stop(str(why), MISTYPED) from why
    except Refused as why:
        raise Stop(f"Not signed in: {why.detail}", NOT_ALLOWED) from why
    except Unreachable as why:
        raise Stop(str(why), UNREACHABLE) from why
    name = name or client.address.authority
    kept = os.path.abspath(ca) if ca else ""
    book.keep(os.environ, name, client.address.url, token, kept, made=made)
    voice.say(f"You are signed in to {name} as {me['name']}{_role(me)}.")
    _warn_of_others(name)


@command(examples="perron logout")
@click.argument("name", required=False)
def logout(name: str | None) -> None:
    """Sign out of context NAME, or of the one that counts.

    A token that perron login made is revoked; one that you brought is forgotten here only.
    """
    try:
        name = name or book.read(os.environ).get("current")
        if not name:
            raise Stop("There is no context to sign out of.", NOT_FOUND)
        is_revoked = _revoke(book.read(os.environ)["contexts"].get(name) or {})
        book.drop(os.environ, name)
    except ContextRefused as why:
        raise Stop(str(why), NOT_FOUND) from why
    if is_revoked:
        voice.say(f"You are signed out of {name}; the token opens nothing any more.")
        return
    voice.say(f"The token for {name} is forgotten here; it works elsewhere until it is revoked.")


@command(examples="perron whoami")
@options.as_json
def whoami(as_json: bool) -> None:
    """Say who you are, and on which platform."""
    with platform(as_json=as_json) as client:
        me = verbs.me(client)
        found = book.find_login(os.environ)
    if as_json:
        tables.document(me | {"url": found.url, "context": found.name})
        return
    teams = ", ".join(f"{team} ({role})" for team, role in sorted(me["teams"].items()))
    voice.data(f"{me.get('handle') or me['name']}{_role(me)}  {teams}".rstrip())
    voice.say(f"on {client.address.url}, from {found.source}")


@group(default="list")
def contexts() -> None:
    """List and choose platforms you are signed in to."""


@contexts.command("list", examples="perron contexts")
@options.shaped
def list_contexts(shape: str) -> None:
    """List contexts; the marked one counts. Tokens are not shown."""
    rows = _known()
    columns = (Column("CONTEXT"), Column("URL"), Column("USED"))
    cells = [[each["name"], each["url"], "yes" if each["used"] else ""] for each in rows]
    tables.listing(rows, columns, cells, shape=shape)


@contexts.command("use", examples="perron contexts use perron.example.org")
@click.argument("name")
def use(name: str) -> None:
    """Use context NAME from now on; local is this machine's own platform."""
    try:
        book.choose(os.environ, name)
    except ContextRefused as why:
        raise Stop(str(why), NOT_FOUND) from why
    voice.say(f"{name} is used from now on.")
    _warn_of_others(name)


def _known() -> list[dict[str, Any]]:
    try:
        used = book.find_login(os.environ)
    except ContextRefused:
        used = None
    kept = book.read(os.environ)["contexts"]
    found = [{"name": name, "url": each["url"]} for name, each in sorted(kept.items())]
    if local := book.local_login(os.environ):
        found.append({"name": local.name, "url": local.url})
    if used and used.name == "PERRON_URL":
        found.append({"name": used.name, "url": used.url})
    return [each | {"used": used is not None and each["name"] == used.name} for each in found]


def _known_url() -> str:
    """Return where to sign in again when no URL was said."""
    with suppress(ContextRefused):
        found = book.find_login(os.environ)
        if found.name != book.LOCAL:
            return found.url
        raise Stop(
            f"On this machine you are signed in by {found.source} already.",
            MISTYPED,
            next="perron dashboard (a browser), or perron login URL (elsewhere)",
        )
    raise Stop("Say where: perron login URL.", MISTYPED)


def _revoke(kept: dict[str, Any]) -> bool:
    """Let the token of a login that we made open nothing any more, if the platform is there."""
    if not kept.get("made"):
        return False
    with suppress(Fault):
        client = Client(kept["url"], kept["token"], authorities=kept.get("ca", ""), gone=3.0)
        verbs.revoke_token(client, str(kept["made"]))
        client.close()
        return True
    return False


def _token(url: str, from_stdin: bool) -> str:
    if from_stdin:
        token = sys.stdin.readline().strip()
    else:
        token = asking.secret(f"Token for {url}", flag="--token-stdin").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise Stop("That is no token.", MISTYPED)
    return token


def _role(me: dict[str, Any]) -> str:
    return ", administrator" if me.get("administrator") else ""


def _warn_of_others(name: str) -> None:
    used = book.find_login(os.environ) if name != book.LOCAL else None
    if used and used.name != name:
        where = "PERRON_URL" if used.name == "PERRON_URL" else "PERRON_HOME"
        voice.say(f"{where} is set in this shell and wins: commands speak to {used.url}.")
