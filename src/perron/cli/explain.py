"""``perron explain``: what a problem or an exit code means, offline."""

import click

from . import exits, index, voice
from .command import command
from .exits import NOT_FOUND, Stop
from .pages import PAGES


@command(examples="perron explain 5\nperron explain app-not-found\nperron explain")
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain an exit code or the type of a problem; without CODE, list them."""
    if code is None:
        _list()
        return
    if code.isascii() and code.isdigit():
        _exit(int(code))
        return
    key = _key(code)
    if key not in PAGES:
        near = index.nearest(key, sorted(PAGES))
        hint = f" Did you mean {near}?" if near else ""
        raise Stop(f"There is no page about {code}.{hint}", NOT_FOUND, next="perron explain")
    voice.data(f"{key}\n")
    voice.data(PAGES[key])


def _list() -> None:
    for number, meaning in exits.MEANINGS.items():
        voice.data(f"{number:>4}  {meaning}")
    voice.data("")
    for key in sorted(PAGES):
        voice.data(f"      {key}")


def _exit(number: int) -> None:
    if number not in exits.MEANINGS:
        raise Stop(
            f"perron has no exit code {number}; run and exec pass on that of their command.",
            NOT_FOUND,
        )
    voice.data(f"exit {number}: {exits.MEANINGS[number]}")


def _key(code: str) -> str:
    """Turn ``AppNotFound`` or ``/v1/problems/AppNotFound`` into ``app-not-found``."""
    name = code.rstrip("/").rpartition("/")[2]
    parts = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
    return parts.strip("-").replace("--", "-")
