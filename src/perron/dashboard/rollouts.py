"""How a release went live, or did not: the stops of its line. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import words

DEPLOY = ("build", "release", "start", "routes", "drain")
SILENT = ("live",)
NAMES: Mapping[str, tuple[str, str]] = {  # while it is on its way or still to come, and when done
    "build": ("Build", "Built"),
    "release": ("Release command", "Release command"),
    "start": ("Start instances", "Instances started"),
    "routes": ("Move routes", "Routes moved"),
    "drain": ("Drain the old release", "Old release drained"),
    "restart": ("Restart", "Restarted"),
    "settle": ("Settle", "Settled"),
}
SIGNS = {"done": "done", "failed": "failed", "started": "now", "skipped": "todo", "waiting": "todo"}
OVER = ("done", "failed", "cancelled", "superseded", "parked")


@dataclass(frozen=True)
class Stop:
    """One stop of the line; ``said`` is the last word about it."""

    name: str
    sign: str
    title: str
    said: str = ""
    started: str | None = None
    took: str = ""


@dataclass(frozen=True)
class Ride:
    """A whole operation: its stops, whether it still moves, and the lines that explain its end."""

    stops: tuple[Stop, ...]
    is_moving: bool
    state: str
    reason: str
    asked: str
    finished: str | None
    operation: str
    lines: tuple[str, ...] = ()
    lines_of: str = ""

    @property
    def took(self) -> str:
        """How long all of it took."""
        return _took(self.asked, self.finished)

    @property
    def at(self) -> str:
        """The stop it is at, in words."""
        now = next((stop for stop in self.stops if stop.sign == "now"), None)
        return (now.said or now.title) if now else ""


def ride(operation: Mapping[str, Any]) -> Ride:
    """Return the line of an operation as the platform tells it."""
    state = str(operation["state"])
    marks = {str(mark["name"]): mark for mark in operation["steps"] if mark["name"] not in SILENT}
    known = DEPLOY if operation["work"] == "releases.deploy" else tuple(marks)
    names = [*known, *(name for name in marks if name not in known)]
    told = _told(operation["progress"])
    facts: Mapping[str, Any] = next(
        (p["facts"] for p in reversed(operation["progress"]) if _has_lines(p)), {}
    )
    is_moving = state not in OVER  # then every stop keeps its place: nothing moves under the eye
    stops = (_stop(name, marks.get(name), told, is_over=not is_moving) for name in names)
    return Ride(
        stops=tuple(stop for stop in stops if is_moving or not _is_nothing(stop)),
        is_moving=is_moving,
        state=state,
        reason=str(operation.get("reason") or ""),
        asked=operation["asked"],
        finished=operation.get("finished"),
        operation=operation["id"],
        lines=tuple(str(line) for line in facts.get("lines", ())),
        lines_of=str(facts.get("instance") or facts.get("from") or ""),
    )


def _stop(
    name: str, mark: Mapping[str, Any] | None, told: Mapping[str, str], *, is_over: bool
) -> Stop:
    before, after = NAMES.get(name, (words.sentence(name), words.sentence(name)))
    if mark is None:
        return Stop(name, "todo", before)
    sign = SIGNS.get(str(mark["state"]), "todo")
    if sign == "now" and is_over:
        sign = "todo"  # it was left half way
    said = told.get(name, "") or str(mark.get("message") or "")
    if sign == "failed":
        said = str(mark.get("message") or said)
    title = after if sign == "done" else before
    took = _took(mark.get("started"), mark.get("finished")) if sign in ("done", "failed") else ""
    return Stop(name, sign, title, said.rstrip("."), mark.get("started"), took)


def _is_nothing(stop: Stop) -> bool:
    """Say whether a stop was passed because there was nothing to do there."""
    return stop.name == "release" and stop.sign == "done" and not stop.said


def _told(progress: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what tells most of each step: what was detected, else its last word."""
    told: dict[str, str] = {}
    named: set[str] = set()
    for each in progress:
        step = str(each["step"])
        if step not in named and not _has_lines(each):
            told[step] = str(each["text"])
        if "detected" in each["facts"]:
            named.add(step)
    return told


def _has_lines(progress: Mapping[str, Any]) -> bool:
    return bool(progress["facts"].get("lines"))


def _took(started: str | None, finished: str | None) -> str:
    if not started or not finished:
        return ""
    return words.length((words.moment(finished) - words.moment(started)).total_seconds())
