"""Reads a Procfile: one process type and its command on each line."""

import re

from .manifest import ManifestRefused

NAME = "Procfile"
_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.*)")
_GOOD = re.compile(r"[a-z][a-z0-9-]{0,29}")


def parse(text: str) -> dict[str, str]:
    """Return the commands by process type; ``release`` is among them, though it is no process."""
    commands: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, command = _parsed(number, line)
            if name in commands:
                raise ManifestRefused(f"{NAME}, line {number}: {name!r} is there twice.")
            commands[name] = command
    return commands


def _parsed(number: int, line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line.strip().removeprefix("\ufeff"))
    if match is None:
        raise ManifestRefused(
            f"{NAME}, line {number}: {line.strip()[:60]!r} is not 'name: command', "
            "such as 'web: gunicorn app:app'."
        )
    name, command = match[1], match[2].strip()
    if not _GOOD.fullmatch(name):
        raise ManifestRefused(
            f"{NAME}, line {number}: {name!r} cannot be a process type: use a-z, 0-9 and hyphens, "
            "begin with a letter, at most 30."
        )
    if not command or "\x00" in command:
        raise ManifestRefused(f"{NAME}, line {number}: {name!r} has no command.")
    return name, command
