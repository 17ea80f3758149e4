"""``perron volumes``: folders of an environment that outlive its releases."""

import sys
from pathlib import Path
from typing import Any

import click

from perron.client import Client, Place, verbs

from . import asking, options, places, tables, voice, waiting, words
from .command import group
from .exits import MISTYPED, REFUSED, Stop
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("VOLUME"),
    Column("MOUNT"),
    Column("USED", figure=True),
    Column("SIZE", figure=True),
    Column("QUOTA"),
    Column("SNAPSHOTS", figure=True, low=True),
)


@group(default="list")
def volumes() -> None:
    """Folders that outlive releases."""


@volumes.command("list", examples="perron volumes -a shop")
@options.in_place
@options.shaped
def list_volumes(app: str | None, environment: str, shape: str) -> None:
    """List volumes and how full they are."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.volumes(client, places.place(client, app, environment)))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@volumes.command("create", examples="perron volumes create data --mount /data --size 2G")
@click.argument("name")
@click.option("--mount", required=True, metavar="PATH", help="Where the app sees it.")
@click.option("--size", required=True, metavar="SIZE", help="How much it may hold: 512M, 2G.")
@options.in_place
@options.as_json
def create(
    name: str, mount: str, size: str, app: str | None, environment: str, as_json: bool
) -> None:
    """Create volume NAME; the next release and restart see it."""
    request = {"name": name, "mount": mount, "size": words.bytes_in(size)}
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        found = verbs.create_volume(client, place, request)
    if as_json:
        tables.document(found)
        return
    voice.say(f"{name} is at {mount}, {words.size(found['size'])}, quota {found['quota']}.")
    voice.say(f"Next   perron restart -a {place.app} -e {environment}")


@volumes.command("download", examples="perron volumes download data --output data.tar.gz")
@click.argument("name")
@click.option("--output", metavar="FILE", help="Where to; - is stdout.")
@options.in_place
def download(name: str, output: str | None, app: str | None, environment: str) -> None:
    """Download the files of volume NAME as a tar.gz."""
    target = output or f"{name}.tar.gz"
    if target == "-" and sys.stdout.isatty():
        raise Stop("That is no text for a terminal; say --output FILE.", MISTYPED)
    with platform() as client:
        place = places.place(client, app, environment)
        response = client.download(f"{verbs.volume_path(place, name)}/files")
        length = _save(response, target)
    voice.say(f"{words.size(length)} of {name} went to {target}.")


@volumes.command("upload", examples="perron volumes upload data data.tar.gz --yes")
@click.argument("name")
@click.argument("archive", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.confirmed
@options.in_place
def upload(name: str, archive: Path, yes: bool, app: str | None, environment: str) -> None:
    """Put the files of ARCHIVE (tar.gz) into volume NAME."""
    with platform() as client:
        place = places.place(client, app, environment)
        question = f"Put the files of {archive} into {name} of {place.app}?"
        if not yes and not asking.confirm(question, flag="--yes"):
            raise Stop("Nothing was changed.", REFUSED)
        client.send("PUT", f"{verbs.volume_path(place, name)}/files", archive)
    voice.say(f"{archive} is in {name}.")


@volumes.command("snapshot", examples="perron volumes snapshot data")
@click.argument("name")
@options.in_place
@options.as_json
def snapshot(name: str, app: str | None, environment: str, as_json: bool) -> None:
    """Keep a copy of volume NAME as it is now."""
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        found = client.send("POST", f"{verbs.volume_path(place, name)}/snapshots") or {}
    if as_json:
        tables.document(found)
        return
    kept = found.get("snapshots") or [found.get("name", "")]
    voice.say(f"A snapshot of {name} is kept: {kept[-1]}")


@volumes.command("snapshots", examples="perron volumes snapshots data")
@click.argument("name")
@options.in_place
@options.shaped
def list_snapshots(name: str, app: str | None, environment: str, shape: str) -> None:
    """List the copies kept of volume NAME, the newest first."""
    with platform(as_json=shape == "json") as client:
        found = client.get(verbs.volume_path(places.place(client, app, environment), name))
    kept = [{"name": each} for each in sorted(found["snapshots"], reverse=True)]
    tables.listing(kept, (Column("SNAPSHOT"),), [[each["name"]] for each in kept], shape=shape)


@volumes.command("restore", examples="perron volumes restore data 20261121T165942Z --yes data")
@click.argument("name")
@click.argument("snapshot")
@click.option("-y", "--yes", "said", metavar="NAME", help="The volume's name, said again.")
@options.in_place
@options.as_json
def restore(
    name: str, snapshot: str, said: str | None, app: str | None, environment: str, as_json: bool
) -> None:
    """Put the files of SNAPSHOT in place of those of volume NAME.

    What runs in the environment is stopped for it and started again; a copy of the files as they
    are is kept first.
    """
    with platform(as_json=as_json) as client:
        place = places.place(client, app, environment)
        running = _running(client, place)
        _explain(name, snapshot, place, running)
        asking.confirm_name(name, said, what="volume", doing="restore")
        if running:
            _act(client, place, "stop")
        try:
            found = verbs.restore_volume(client, place, name, snapshot)
        finally:
            if running:
                _act(client, place, "start")
    if as_json:
        tables.document(found)
        return
    kept = max(found["snapshots"], default="")
    voice.say(f"{name} has the files of {snapshot}; those of before are kept: {kept}")


def _running(client: Client, place: Place) -> list[str]:
    """Name the processes that have to stop for it."""
    found = verbs.instances(client, place)
    return sorted({str(each["process"]) for each in found})


def _explain(name: str, snapshot: str, place: Place, running: list[str]) -> None:
    voice.say(
        f"Every file in {name} of {place.app}, {place.environment} gives way to {snapshot}'s."
    )
    voice.say("A copy of the files as they are now is kept first.")
    if running:
        voice.say(f"{', '.join(running)} stops for it and starts again: visitors wait meanwhile.")


def _act(client: Client, place: Place, verb: str) -> None:
    said = {"stop": "Stopped.", "start": "Started."}[verb]
    waiting.finish(client, place, verbs.act(client, place, verb), said)


@volumes.command("destroy", examples="perron volumes destroy data --yes data")
@click.argument("name")
@click.option("-y", "--yes", "said", metavar="NAME", help="The volume's name, said again.")
@options.in_place
def destroy(name: str, said: str | None, app: str | None, environment: str) -> None:
    """Destroy volume NAME with all its files."""
    with platform() as client:
        place = places.place(client, app, environment)
        asking.confirm_name(name, said, what="volume")
        client.send("DELETE", verbs.volume_path(place, name), query={"confirm": name})
    voice.say(f"{name} is destroyed.")


def _save(response: Any, target: str) -> int:
    """Write an answer to a file that is whole or not there."""
    if target == "-":
        return _copy(response, sys.stdout.buffer)
    path = Path(target)
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("wb") as file:
            length = _copy(response, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return length


def _copy(response: Any, file: Any) -> int:
    length = 0
    while piece := response.read(1 << 16):
        file.write(piece)
        length += len(piece)
    return length


def _row(volume: dict[str, Any]) -> list[tables.Cell]:
    return [
        volume["name"],
        volume["mount"],
        words.size(volume.get("used")),
        words.size(volume["size"]),
        volume["quota"],
        len(volume.get("snapshots") or []),
    ]
