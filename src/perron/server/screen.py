"""Marks, colours and times of the platform's own commands; data on stdout, the rest on stderr."""

import os
import sys
from time import monotonic
from typing import TextIO

import click

MARKS = {"ok": ("●", "ok"), "moving": ("◌", ".."), "degraded": ("▲", "!"), "failed": ("✕", "x"),
         "stopped": ("□", "-"), "unknown": ("▨", "?")}  # fmt: skip
COLOURS = {"ok": "green", "moving": "cyan", "degraded": "yellow", "failed": "red",
           "stopped": None, "unknown": "magenta"}  # fmt: skip


def mark(state: str, stream: TextIO | None = None) -> str:
    """Return the sign of a state, in colour where the stream is a terminal that wants it."""
    stream = stream or sys.stderr
    sign, plain = MARKS[state]
    if "utf" not in (stream.encoding or "").lower():
        return plain
    colour = COLOURS[state]
    return click.style(sign, fg=colour) if colour and _wants_colour(stream) else sign


def say(text: str) -> None:
    """Tell the person, on standard error."""
    click.echo(text, err=True)


class Stopwatch:
    """Says each step with its time since the start."""

    def __init__(self) -> None:
        self._start = monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._start

    def step(self, state: str, name: str, text: str) -> None:
        """Say that a step came to this state."""
        say(f"{self.seconds:5.1f} s  {mark(state)} {name:<8}{text}")


def _wants_colour(stream: TextIO) -> bool:
    if os.environ.get("FORCE_COLOR"):
        return True
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain
