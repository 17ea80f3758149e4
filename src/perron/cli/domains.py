"""``perron domains``, ``maintenance`` and ``protect``: how visitors are let in."""

import sys
from pathlib import Path
from typing import Any

import click

from perron.client import verbs

from . import asking, options, places, tables, voice, words
from .command import command, group
from .exits import MISTYPED, Stop
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("HOST"),
    Column("CERTIFICATE"),
    Column("EXPIRES", low=True),
    Column("ADDED", low=True),
    Column("URL"),
)


@group(default="list")
def domains() -> None:
    """Lead host names to an environment."""


@domains.command("list", examples="perron domains -a shop")
@options.in_place
@options.shaped
def list_domains(app: str | None, environment: str, shape: str) -> None:
    """List the host names that lead to an environment."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.domains(client, places.place(client, app, environment)))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@domains.command(
    "add", examples="perron domains add shop.example.org --cert cert.pem --key key.pem"
)
@click.argument("host")
@click.option("--cert", type=click.Path(path_type=Path, exists=True), help="Certificate (PEM).")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="Its key (PEM).")
@options.in_place
@options.as_json
def add(
    host: str,
    cert: Path | None,
    key: Path | None,
    app: str | None,
    environment: str,
    as_json: bool,
) -> None:
    """Lead HOST here; without a certificate, the internal CA signs one."""
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key go together.")
    request: dict[str, Any] = {"host": host}
    if cert and key:
        request |= {"certificate": cert.read_text(), "private_key": key.read_text()}
    with platform(as_json=as_json) as client:
        found = verbs.add_domain(client, places.place(client, app, environment), request)
    if as_json:
        tables.document(found)
        return
    voice.say(f"{found['host']} leads here, once its DNS leads to this machine.")
    _tell_unless_applied(found)
    voice.data(found["url"])


@domains.command("remove", examples="perron domains remove shop.example.org --yes")
@click.argument("host")
@options.confirmed
@options.in_place
def remove(host: str, yes: bool, app: str | None, environment: str) -> None:
    """Lead HOST here no more; another app may have it then."""
    with platform() as client:
        place = places.place(client, app, environment)
        if not yes and not asking.confirm(f"Remove {host} from {place.app}?", flag="--yes"):
            raise Stop("Nothing was changed.", MISTYPED)
        found = verbs.remove_domain(client, place, host)
    voice.say(f"{host} leads here no more.")
    _tell_unless_applied(found)


@command(examples="perron maintenance on\nperron maintenance off")
@click.argument("state", type=click.Choice(["on", "off"]))
@options.in_place
@options.as_json
def maintenance(state: str, app: str | None, environment: str, as_json: bool) -> None:
    """Show visitors a maintenance page, or stop; instances go on."""
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        found = verbs.maintain(client, place, on=state == "on")
    if as_json:
        tables.document(found)
        return
    told = "Visitors see the maintenance page" if state == "on" else "Visitors are let in again"
    voice.say(f"{told}: {place.app}, {environment}.")
    _tell_unless_applied(found)


@command(
    examples="""
    perron protect --user team -e staging
    echo secret | perron protect --user team --password-stdin
    perron protect --off
    """
)
@click.option("--user", metavar="NAME", help="The name visitors must give.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option("--off", is_flag=True, help="Let everybody in again.")
@options.in_place
@options.as_json
def protect(
    user: str | None,
    password_stdin: bool,
    off: bool,
    app: str | None,
    environment: str,
    as_json: bool,
) -> None:
    """Ask visitors for a name and a password, or stop asking."""
    if off == bool(user):
        raise click.UsageError("Say --user NAME, or --off.")
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        password = None if off else _password(password_stdin)
        found = verbs.protect(client, place, None if off else user, password)
    if as_json:
        tables.document(found)
        return
    told = "Everybody is let in" if off else f"Visitors are asked for {user} and the password"
    voice.say(f"{told}: {place.app}, {environment}.")
    _tell_unless_applied(found)


def _tell_unless_applied(found: dict[str, Any]) -> None:
    if found.get("applied") is False:
        voice.say("It is written down, but the edge has not said yet that it does so.")


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        return asking.secret("Password for visitors", flag="--password-stdin")
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Stop("There is no password on stdin.", MISTYPED)
    return password


def _row(domain: dict[str, Any]) -> list[tables.Cell]:
    return [
        domain["host"],
        domain["certificate"],
        words.when(domain.get("expires")),
        "generated" if domain.get("generated") else words.when(domain.get("added")),
        domain["url"],
    ]
