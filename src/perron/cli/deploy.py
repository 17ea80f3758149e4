"""``perron deploy``: put a folder live, and follow it until it is."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from perron.client import Client, Place, Refused, links, verbs

from . import options, packing, places, provenance, trying, voice, words
from .command import command
from .exits import REFUSED, Stop
from .platform import platform
from .released import finish, unchanged
from .steps import Board

Telling = Callable[[Board], None]


@command(
    examples="""
    perron deploy                        this folder, to production
    perron deploy examples/hello --create
    perron deploy --env staging --detach
    perron deploy --dry-run              what would happen, and why
    perron deploy --from-release 7 --from-environment staging
    """
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@options.in_place
@click.option("--create", is_flag=True, help="Create the app when it does not exist.")
@click.option("--team", metavar="NAME", help="Whose a new app is, when you are in several teams.")
@click.option("--root", metavar="DIR", default=".", help="The app's folder inside DIR.")
@click.option("--from-release", type=int, metavar="N", help="The build of release N.")
@click.option("--from-environment", metavar="NAME", help="Where release N is looked up.")
@click.option("--force", is_flag=True, help="Make a release even when nothing changed.")
@click.option("--dry-run", is_flag=True, help="Show what was detected; build and keep nothing.")
@click.option("--commit", metavar="SHA", help="The commit, when git cannot tell it.")
@click.option("--commit-time", metavar="TIME", help="When it was made, when git cannot tell.")
@options.detached
@options.as_json
def deploy(folder: Path, app: str | None, environment: str, as_json: bool, **flags: Any) -> None:
    """Put DIR (this folder by default) live as the app's next release.

    The app is --app, else perron.toml, else what this folder was deployed as before.
    .gitignore and .perronignore say what stays here. The URL is printed on stdout.
    """
    _check(folder, flags)
    with platform(as_json=as_json) as client:
        name = _name(client, folder, app, flags)
        if flags["dry_run"]:
            trying.dry_run(client, name, folder, flags["root"], as_json=as_json)
            return
        place = Place(name, environment)
        board = Board(quiet=as_json)
        live = _ready(client, place, flags["create"], flags["team"])
        began = time.monotonic()
        try:
            release = _ask(client, place, folder, live, flags, board)
        except Refused as why:
            if why.code == "NothingChanged":
                links.link(client.address.url, folder, name)
                unchanged(client, place, why, as_json=as_json)
                return
            raise
        links.link(client.address.url, folder, name)
        if not flags["detach"]:
            finish(client, place, release, board, began, as_json=as_json)
        else:
            _leave(release, as_json=as_json)


def _check(folder: Path, flags: dict[str, Any]) -> None:
    if flags["from_environment"] and not flags["from_release"]:
        raise click.UsageError("--from-environment needs --from-release N.")
    if flags["from_release"] and flags["dry_run"]:
        raise click.UsageError("--dry-run looks at a folder; --from-release has none.")
    if not flags["from_release"] and not folder.is_dir():
        raise click.UsageError(f"{folder} is no folder.")


def _name(client: Client, folder: Path, app: str | None, flags: dict[str, Any]) -> str:
    """Return the app's name; for a folder nobody knows yet, the folder's own."""
    inner = folder / flags["root"]
    found = places.find(client, app, inner if inner.is_dir() else folder)
    return found.app if found else trying.first_name(folder, create=flags["create"])


def _ready(client: Client, place: Place, create: bool, team: str | None) -> dict[str, Any] | None:
    """Return the live release, having created the app if that was wanted."""
    try:
        return next(
            (each for each in verbs.releases(client, place, limit=20) if each["state"] == "live"),
            None,
        )
    except Refused as why:
        if why.status != 404:
            raise
        trying.create(client, place, why, create=create, team=team)
        return None


def _ask(
    client: Client,
    place: Place,
    folder: Path,
    live: dict[str, Any] | None,
    flags: dict[str, Any],
    board: Board,
) -> dict[str, Any]:
    """Upload and ask for the release; the first line names app, place, release and source."""
    told: Telling = _nothing
    if number := flags["from_release"]:
        where = flags["from_environment"]
        request = {"from_release": number, "from_environment": where}
        facts: dict[str, Any] = {"origin": "cli"}
        release = verbs.deploy(client, place, request | _forced(flags) | {"provenance": facts})
        named = f"the build of {f'{where} ' if where else ''}{number}"
    else:
        with board.busy("upload"):
            source, told = _upload(client, place, folder)
        facts = _provenance(folder, live, flags)
        request = {"source": source["digest"], "root": flags["root"], "provenance": facts}
        release = verbs.deploy(client, place, request | _forced(flags))
        named = provenance.short(facts)
    by = release.get("by_name") or release.get("by")
    asked = f"{place.app}, {place.environment}: release {release['number']}"
    board.note(f"{asked} by {by}, from {named}")
    told(board)
    return release


def _upload(client: Client, place: Place, folder: Path) -> tuple[dict[str, Any], Telling]:
    """Pack and send the folder; what there is to tell comes after the line with the app."""
    began = time.monotonic()
    with packing.packed(folder) as pack:
        try:
            source = verbs.send_source(client, place.app, pack.archive)
        except Refused as why:
            if why.status == 413:
                heavy = packing.biggest(pack.members)
                raise Stop(f"{why.detail} Most of it is in {heavy}.", REFUSED) from why
            raise
        sent = f"{words.plural(len(pack.members), 'file')}, {words.size(pack.size)}"
    took = time.monotonic() - began

    def tell(board: Board) -> None:
        board.done("upload", took, sent)
        for path in pack.kept_home:
            board.note(
                f"{path} stays here: it may hold secrets (!{path} in .perronignore sends it)."
            )
            board.note(f"Next   perron config import {path} --app {place.app}")

    return source, tell


def _forced(flags: dict[str, Any]) -> dict[str, bool]:
    return {"force": True} if flags["force"] else {}


def _nothing(_board: Board) -> None:
    """Tell nothing: there was no upload."""


def _provenance(folder: Path, live: dict[str, Any] | None, flags: dict[str, Any]) -> dict[str, Any]:
    since = ((live or {}).get("provenance") or {}).get("sha")
    return provenance.of_folder(
        folder,
        os.environ,
        since=since,
        commit=flags["commit"],
        commit_time=flags["commit_time"],
    )


def _leave(release: dict[str, Any], *, as_json: bool) -> None:
    from . import tables

    if as_json:
        tables.document(release)
        return
    voice.say(f"Release {release['number']} is asked for.")
    voice.say(f"Next   perron operations show {release['operation']}")
    voice.data(release["url"])
