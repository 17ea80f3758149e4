"""``perron platform …``: settings, backup, restore."""

import json
import os
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import click

from perron.kit import files, settings
from perron.kit.settings import Home, Settings

from . import database, keyrings, processes, restoring, whole
from .screen import say

RESERVE = 16 << 20


def show_settings() -> int:
    """Print the settings as JSON, credentials in addresses masked."""
    shown = asdict(settings.load(_home()))
    shown["fetch"] = {name: masked(value) for name, value in shown["fetch"].items()}
    click.echo(json.dumps(shown, indent=2))
    return 0


def change_settings(assignments: tuple[str, ...]) -> int:
    """Keep settings given as NAME=VALUE; ``fetch.NAME`` sets a variable builds see."""
    home = _home()
    chosen = settings.load(home, {})
    for assignment in assignments:
        name, is_given, value = assignment.partition("=")
        if not is_given:
            raise click.UsageError(f"{assignment!r} is not NAME=VALUE.")
        chosen = _with(chosen, name, value)
    settings.save(home, chosen)
    say("Kept. Next: perron down && perron up")
    return 0


def backup(*, to: str | None, keys: str | None, volumes: bool) -> int:
    """Back the platform up now, keys apart from it, and print where the backup is."""
    home = _home()
    place = _fresh(Path(to).absolute()) if to else None
    copy = whole.make(home, into=place, volumes=volumes)
    if keys:
        keyrings.of(home).write(Path(keys).absolute())
        say(f"The keys are in {keys}: keep that file elsewhere than the backup.")
    else:
        say("The keys are not in it; on another machine it needs them: --keys FILE writes them.")
    click.echo(copy.folder)
    return 0


def restore(file: str, *, keys: str | None, replace_: bool) -> int:
    """Put a backup in place: a whole one, or a copy of the state alone."""
    home, source = Home.from_environment(os.environ), Path(file).absolute()
    if source.is_dir():
        key_file = Path(keys).absolute() if keys else None
        return restoring.restore(home, source, keys=key_file, replace_=replace_)
    _home()
    files.check_room(home.path, source.stat().st_size, reserve=RESERVE)
    processes.wish_down(home, down=True)
    processes.stop_all(home)
    kept = database.restore(home, source)
    say(f"Restored from {file}. What was there before is kept at {kept}.")
    say("Next   perron up")
    return 0


def _fresh(folder: Path) -> Path:
    if folder.exists():
        raise click.UsageError(f"{folder} exists already; name a new folder.")
    return folder


def masked(value: str) -> str:
    """Return an address without the credentials in it."""
    return re.sub(r"//[^/@\s]+@", "//••••@", value)


def _with(chosen: Settings, name: str, value: str) -> Settings:
    if name.startswith("fetch."):
        return replace(chosen, fetch=chosen.fetch | {name.removeprefix("fetch."): value})
    kinds: dict[str, Any] = {each.name: type(getattr(chosen, each.name)) for each in fields(chosen)}
    known = sorted(set(kinds) - {"version", "slot", "fetch"})
    if name not in known:
        raise click.UsageError(f"No setting {name!r}; there are: {', '.join(known)}, fetch.NAME.")
    try:
        return replace(chosen, **{name: settings.cast(kinds[name], value)})
    except settings.SettingsRefused as why:
        raise click.UsageError(str(why)) from why
    except ValueError as why:
        raise click.UsageError(f"{name} cannot be {value!r}: {why}.") from why


def _home() -> Home:
    home = Home.from_environment(os.environ)
    if not home.settings.exists():
        raise click.UsageError(f"There is no platform in {home.path}. Next: perron up")
    return home
