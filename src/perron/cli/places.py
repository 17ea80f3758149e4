"""Which app a command is about, and where that is remembered."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from perron.client import Client, Place, links

from . import voice
from .exits import MISTYPED, Stop


@dataclass(frozen=True)
class Found:
    """An app's name, and where it was found; ``said``: by the person, so not a guess."""

    app: str
    source: str
    said: bool = False


def place(client: Client, app: str | None, environment: str) -> Place:
    """Return the environment a command is about; name it when the app was guessed."""
    return Place(app_of(client, app), environment)


def app_of(client: Client, app: str | None) -> str:
    """Return the app a command is about; name it when it was guessed."""
    found = find(client, app, Path.cwd())
    if found is None:
        raise Stop(
            "Which app? This folder has no perron.toml with app = … and was never deployed.",
            MISTYPED,
            next="the same with --app NAME; perron apps lists them",
        )
    if not found.said:
        voice.say(voice.paint(f"{found.app} (from {found.source})", voice.DIM))
    return found.app


def find(client: Client, app: str | None, folder: Path) -> Found | None:
    """Find the app of a folder: said, in ``perron.toml``, or linked by its last deploy."""
    if app:
        return Found(app, "--app", said=True)
    if named := os.environ.get("PERRON_APP"):
        return Found(named, "PERRON_APP")
    linked = links.links().get(client.address.url, {})
    here = folder.resolve()
    for each in (here, *here.parents):
        if name := named_in(each / "perron.toml"):
            return Found(name, "perron.toml")
        if name := linked.get(str(each)):
            return Found(name, "the last deploy of this folder")
    return None


def named_in(path: Path) -> str | None:
    """Return the app that a ``perron.toml`` names."""
    try:
        with path.open("rb") as file:
            name = tomllib.load(file).get("app")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise Stop(f"{path} cannot be read: {why}.", MISTYPED) from why
    if name is not None and not isinstance(name, str):
        raise Stop(f'{path}: app must be a name, as in app = "shop".', MISTYPED)
    return name
