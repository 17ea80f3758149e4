"""How the terminal speaks: data on stdout, everything else on stderr, colour only for eyes."""

import os
import re
import shutil
import sys
from threading import Lock
from typing import TextIO

import click

GREEN, YELLOW, RED, BLUE, DIM, BOLD = "32", "33", "31", "34", "2", "1"
_MARKS = {
    "well": ("●", "ok", GREEN),
    "moving": ("◌", "..", BLUE),
    "degraded": ("▲", "!", YELLOW),
    "failed": ("✕", "x", RED),
    "stopped": ("□", "-", DIM),
    "unknown": ("▨", "?", YELLOW),
    "pass": ("✓", "+", GREEN),
    "waived": ("⚑", "w", YELLOW),
}
# What a tenant's line may contain without steering the terminal it is shown on.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9;]*m)")
_ANY_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


_rewritten = Lock()  # held while a line is shown that the next one takes the place of


def data(text: str = "") -> None:
    """Print what was asked for."""
    if not meta("quiet"):
        clear()
        click.echo(text, color=True)


def say(text: str = "") -> None:
    """Tell the person what happens."""
    if not meta("quiet"):
        clear()
        click.echo(text, err=True, color=True)


def rewrite(text: str) -> None:
    """Show the one line that is rewritten, in the place of what it said before."""
    clear()
    write(text)
    _rewritten.acquire(blocking=False)


def clear() -> None:
    """Take the rewritten line off the screen, if there is one."""
    if _rewritten.locked():
        write("\r\x1b[2K")
        _rewritten.release()


def write(text: str) -> None:
    """Put text on stderr as it is."""
    sys.stderr.write(text)
    sys.stderr.flush()


def mark(kind: str, stream: TextIO | None = None) -> str:
    """Return the sign of a state, coloured where colour is seen."""
    sign, plain, colour = _MARKS[kind]
    stream = stream or sys.stderr
    return paint(sign if speaks_unicode(stream) else plain, colour, stream)


def paint(text: str, code: str, stream: TextIO | None = None) -> str:
    """Colour text for a stream that shows colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour(stream or sys.stderr) else text


def has_colour(stream: TextIO) -> bool:
    """Say whether colour is seen on a stream."""
    asked = meta("color")
    if asked in ("always", "never"):
        return bool(asked == "always")
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def speaks_unicode(stream: TextIO) -> bool:
    """Say whether marks outside ASCII arrive as they are meant."""
    return (getattr(stream, "encoding", "") or "").lower().replace("-", "") == "utf8"


def width(stream: TextIO | None = None) -> int | None:
    """Return the columns of a terminal; None for anything else."""
    if not (stream or sys.stdout).isatty():
        return None
    return shutil.get_terminal_size((80, 24)).columns


def is_person() -> bool:
    """Say whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def meta(name: str) -> object:
    """Return a flag every command takes, such as ``color`` or ``quiet``."""
    context = click.get_current_context(silent=True)
    return context.find_root().meta.get(f"perron.{name}") if context else None


def harmless(text: str, *, colour: bool = False) -> str:
    """Return a tenant's text without what could steer the terminal."""
    text = _CONTROL.sub("\ufffd", text)
    return text if colour else _ANY_COLOUR.sub("", text)
