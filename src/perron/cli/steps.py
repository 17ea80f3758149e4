"""The lines an operation is told in: one for each step, with a mark and its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer
from typing import Any

from . import voice, words

HIDDEN = ("live",)
AT_ONCE = 0.05
LINE = 100
_KINDS = {
    "done": "well",
    "failed": "failed",
    "skipped": "stopped",
    "started": "moving",
    "waiting": "moving",
}


@dataclass
class Step:
    """One step as far as it was told."""

    name: str
    state: str = "waiting"
    message: str = ""
    started: str | None = None
    seconds: float | None = None
    since: float = field(default_factory=time.monotonic)
    last: str = ""
    named: bool = False
    shown: bool = False

    def hear(self, text: str, facts: dict[str, Any]) -> None:
        """Keep what tells most: what was detected; else the last word, but for the losses."""
        if not self.named and "lost" not in facts:
            self.last = text
        self.named = self.named or "detected" in facts


class Board:
    """Shows steps as they come; on a terminal the line of the moving one is rewritten."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._steps: dict[str, Step] = {}
        self._quiet = quiet or bool(voice.meta("quiet"))
        self._live = sys.stderr.isatty() and not self._quiet

    def step(self, data: dict[str, Any]) -> None:
        """Hear how a step stands."""
        name = str(data.get("name", ""))
        step = self._steps.setdefault(name, Step(name))
        ended_before = step.state in ("done", "failed")
        if step.state != "started":
            step.since = time.monotonic()
        step.state = str(data.get("state", "started"))
        step.message = str(data.get("message") or "")
        step.started = data.get("started") or step.started
        step.seconds = words.between(data.get("started"), data.get("finished"))
        if step.state == "done" and not ended_before and not _is_nothing(step):
            self._line(step)

    def end(self, state: str) -> None:
        """Show the step that did not work out: failed, or given up for a newer release."""
        if step := self.failed():
            step.state = "failed" if state in ("failed", "parked") else "skipped"
            step.message = first_sentence(step.message)  # the whole reason is told at the end
            self._line(step)

    def progress(self, data: dict[str, Any]) -> None:
        """Hear what a step says on its way."""
        step = self._steps.get(str(data.get("step", "")))
        if step is not None:
            step.hear(str(data.get("text", "")), data.get("facts") or {})
        if voice.meta("verbose") and data.get("text"):
            self.aside(str(data["text"]))

    @contextmanager
    def busy(self, name: str) -> Iterator[None]:
        """Show on a terminal that a step of ours takes longer than a second."""
        step = Step(name, "started", started=words.now().isoformat())
        timer = Timer(1, self._moving, (step, 1.0)) if self._live else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer:
                timer.cancel()
            voice.clear()

    def done(self, name: str, seconds: float, message: str) -> None:
        """Show a step that was ours, such as the upload."""
        self._line(Step(name, "done", message, seconds=seconds, started=words.now().isoformat()))

    def tick(self) -> None:
        """Let the moving step show itself once it has taken a second."""
        for step in self._steps.values():
            waited = time.monotonic() - step.since
            if step.state == "started" and step.name not in HIDDEN and waited >= 1:
                self._moving(step, waited)
                return

    def note(self, text: str) -> None:
        """Show a line that is no step."""
        if not self._quiet:
            voice.say(text)

    def aside(self, text: str) -> None:
        """Show a line of a build, or of what a step says, set in under the steps."""
        if not self._quiet:
            voice.say(f"            {voice.harmless(text)}")

    def close(self) -> None:
        """Leave the screen as a person expects it."""
        voice.clear()

    def failed(self) -> Step | None:
        """Return the step that failed, if one did."""
        return next((each for each in self._steps.values() if each.state == "failed"), None)

    def _moving(self, step: Step, waited: float) -> None:
        if self._live:
            room = (voice.width(sys.stderr) or 80) - 1
            voice.rewrite(_text(step, waited, room))
        elif not step.shown and not self._quiet:
            step.shown = True
            voice.say(_text(step, waited, None))

    def _line(self, step: Step) -> None:
        if not self._quiet:
            voice.say(_text(step, step.seconds, None))


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, if it is longer than a line."""
    return text if len(text) <= LINE else text.partition(". ")[0][:LINE].rstrip(".") + "."


def _is_nothing(step: Step) -> bool:
    """Say whether a step is not worth a line: it had nothing to do, and nothing to say."""
    at_once = step.state == "done" and not step.message and (step.seconds or 0) < AT_ONCE
    return step.name in HIDDEN or at_once


def _text(step: Step, seconds: float | None, room: int | None) -> str:
    took = f"{seconds:5.1f} s" if seconds is not None else "      -"
    head = f"{words.clock_time(step.started)}  "
    sign = voice.mark(_KINDS.get(step.state, "unknown"))
    said = voice.harmless(step.message or step.last).replace("\n", " ")
    rest = f" {step.name.capitalize():<9}{took}  {said}".rstrip()
    if room and len(head) + 1 + len(rest) > room:
        rest = rest[: room - len(head) - 2] + "…"
    return head + sign + rest
