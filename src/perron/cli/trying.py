"""What comes before a first deploy: a name, the app itself, and a dry run."""

import re
from pathlib import Path
from typing import Any

from perron.client import Client, Place, Refused, verbs

from . import asking, packing, tables, voice, words
from .exits import NOT_FOUND, REFUSED, Stop

ROUNDS = 5
LARGEST = 1 << 20


def first_name(folder: Path, *, create: bool) -> str:
    """Return the name of a folder that was never deployed, if it shall become an app."""
    name = re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", folder.resolve().name.lower()))
    name = re.sub(r"^[^a-z]+", "", name).strip("-")[:29].strip("-")
    if len(name) < 2:
        asking.need_person(f"{folder} gives no name for an app.", "--app NAME")
        raise Stop(f"{folder} gives no name for an app.", next="perron deploy --app NAME")
    if not create:
        asking.need_person(f"{folder} was never deployed.", "--app NAME, or --create")
    return name


def create(client: Client, place: Place, why: Refused, *, create: bool, team: str | None) -> None:
    """Create the app of a first deploy, asking whoever is there."""
    if not _is_missing(client, place.app):
        if why.code == "AppNotFound":
            return  # somebody created it at the same moment
        raise why  # the app is there: it is the environment that is not
    if place.environment != "production":
        text = f"There is no app {place.app} yet, and so no {place.environment} of it."
        raise Stop(text, NOT_FOUND, next=f"perron apps create {place.app}")
    if not create:
        if not voice.is_person():
            text = f"{why.detail} Without a terminal, say --create to create it."
            raise Stop(text, NOT_FOUND)
        if not asking.confirm(
            f"There is no app {place.app} yet. Create it?", flag="--create", default=True
        ):
            raise Stop("Nothing was created.", REFUSED)
    verbs.create_app(client, place.app, team)


def dry_run(client: Client, app: str, folder: Path, root: str, *, as_json: bool) -> None:
    """Show what a deploy would do; only the file list and the files asked for are sent."""
    members, _kept = packing.collect(folder)
    by_path = {each.path: each for each in members}
    contents: dict[str, str] = {}
    for _round in range(ROUNDS):
        request = {"files": sorted(by_path), "contents": contents, "root": root}
        found = verbs.detect(client, app, request)
        wanted = [path for path in found.get("wants", []) if path not in contents]
        if not wanted:
            break
        contents |= {path: _text(by_path.get(path)) for path in wanted}
    if as_json:
        tables.document(found)
    else:
        _show(found, len(members))
    if found.get("detected") is None:
        raise Stop("" if as_json else "Nothing was detected; a deploy would be refused.", REFUSED)


def _is_missing(client: Client, app: str) -> bool:
    try:
        verbs.app(client, app)
    except Refused as why:
        return why.status == 404
    return False


def _text(member: packing.Member | None) -> str:
    """Return a file's text; nothing for what is not there or far too long to be asked for."""
    if member is None or member.size > LARGEST or member.link is not None:
        return ""
    return member.real.read_text(errors="replace")


def _show(found: dict[str, Any], files: int) -> None:
    rows: list[tuple[str, str]] = [
        ("Files", words.plural(files, "file")),
        ("Detected", str(found.get("detected") or "nothing")),
        ("Why", str(found.get("reason", ""))),
    ]
    rows += [("Note", str(each)) for each in found.get("notes", [])]
    rows += [("Step", str(each)) for each in found.get("steps", [])]
    if found.get("release_command"):
        rows.append(("Release", str(found["release_command"])))
    rows += [("Process", f"{name}: {does}") for name, does in found.get("processes", {}).items()]
    for name, text in rows:
        voice.data(f"{name:<10}{voice.harmless(text)}")
    voice.say("Nothing was built or kept.")
