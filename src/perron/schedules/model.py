"""Schedules and their runs: what is to happen when one has come, decided from plain values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from perron.kit import cron
from perron.kit.problems import Conflict, NotFound, Unprocessable

Overlap = Literal["skip", "queue", "replace"]
FILE, API = "perron.toml", "api"
PLATFORM = "platform"  # the environment, and the origin, of what the platform itself does
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
QUEUED, RUNNING = "queued", "running"
DONE, FAILED, SKIPPED, MISSED, CANCELLED = "done", "failed", "skipped", "missed", "cancelled"
UNFINISHED = (QUEUED, RUNNING)
MOST = 100  # schedules of one environment
LONGEST_COMMAND = 8_192
STILL_RUNS = "The one before still runs."


@dataclass(frozen=True)
class Schedule:
    """A command that runs by the clock in one environment.

    ``next_at`` is when it comes next; None while it is off. ``origin`` says where it is changed.
    """

    id: str
    environment: str
    name: str
    expression: str
    zone: str
    command: str
    overlap: str
    timeout: float
    enabled: bool
    origin: str
    created: datetime
    by: str
    next_at: datetime | None

    @property
    def version(self) -> str:
        """Name what can be changed of it as it is now."""
        return repr((self.id, sorted(self.told.items())))

    @property
    def told(self) -> dict[str, Any]:
        """Return what people set of it."""
        return {name: getattr(self, name) for name in SET}


SET = ("expression", "zone", "command", "overlap", "timeout", "enabled")


@dataclass(frozen=True)
class Run:
    """One time a schedule came, or was asked to run, and what became of it."""

    id: str
    schedule: str
    fire_at: datetime
    state: str
    by_hand: bool
    by: str
    release: int | None = None
    started: datetime | None = None
    finished: datetime | None = None
    exit_code: int | None = None
    text: str = ""
    is_ending: bool = False

    @property
    def job(self) -> str:
        """Return the name of the job that does it."""
        return f"cron-{self.id}"


@dataclass(frozen=True)
class Arrival:
    """What is to be written down of a time that has come; ``ends`` are runs it takes the place of.

    ``more_missed``: earlier times were missed too, so long ago that they are not told.
    """

    fire_at: datetime
    state: str
    text: str = ""
    ends: tuple[str, ...] = ()
    more_missed: bool = False


@dataclass(frozen=True)
class ScheduleAdded:
    """A command runs by the clock from now on."""

    type: ClassVar[str] = "perron.schedule.added.v1"
    name: str
    after: dict[str, Any]
    origin: str


@dataclass(frozen=True)
class ScheduleChanged:
    """A schedule says something else now; only what changed is told."""

    type: ClassVar[str] = "perron.schedule.changed.v1"
    name: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class ScheduleRemoved:
    """A command runs by the clock no more."""

    type: ClassVar[str] = "perron.schedule.removed.v1"
    name: str


@dataclass(frozen=True)
class ScheduleAsked:
    """Someone had a schedule run by hand."""

    type: ClassVar[str] = "perron.schedule.asked.v1"
    name: str
    run: str


@dataclass(frozen=True)
class ScheduleRan:
    """A scheduled command ran to its end."""

    type: ClassVar[str] = "perron.schedule.ran.v1"
    name: str
    run: str
    seconds: float | None


@dataclass(frozen=True)
class ScheduleFailed:
    """A scheduled command failed, or could not be run."""

    type: ClassVar[str] = "perron.schedule.failed.v1"
    name: str
    run: str
    code: int | None
    text: str


@dataclass(frozen=True)
class ScheduleSkipped:
    """A scheduled time came and nothing was run, for a reason."""

    type: ClassVar[str] = "perron.schedule.skipped.v1"
    name: str
    fire_at: str
    why: str


@dataclass(frozen=True)
class ScheduleMissed:
    """Scheduled times passed while the platform was away; ``and_more``: others before them too."""

    type: ClassVar[str] = "perron.schedule.missed.v1"
    name: str
    first: str
    last: str
    count: int
    and_more: bool


class ScheduleNotFound(NotFound):
    """The environment has no schedule of that name."""


class ScheduleTaken(Conflict):
    """The environment has a schedule of that name already."""


class ScheduleInFile(Conflict):
    """The schedule is written in perron.toml, and changed there."""


class StillRunning(Conflict):
    """The schedule runs now, and is not to run twice at once."""


class CommandRefused(Unprocessable):
    """A schedule cannot have that name or run that command."""


def check(schedule: Schedule) -> None:
    """Refuse a schedule that could not be named, read or run."""
    if not NAME.fullmatch(schedule.name):
        raise CommandRefused(
            f"{schedule.name[:60]!r} cannot be a schedule's name: use a-z, 0-9 and hyphens, begin "
            "with a letter, 30 at most."
        )
    command = schedule.command
    if not command.strip() or "\0" in command or len(command.encode()) > LONGEST_COMMAND:
        raise CommandRefused(
            f"A command is 1 to {LONGEST_COMMAND:,} bytes without NUL, such as: python clean.py"
        )
    cron.check(schedule.expression, schedule.zone)


def next_of(schedule: Schedule, at: datetime) -> datetime | None:
    """Return when it comes after a moment; None while it is off."""
    if not schedule.enabled:
        return None
    return cron.next_after(schedule.expression, schedule.zone, at)


def changed(schedule: Schedule, at: datetime, **values: Any) -> Schedule:
    """Return it with other values, which are checked; when it comes next is counted anew."""
    newer = replace(schedule, **values)
    check(newer)
    when = ("expression", "zone", "enabled")
    if all(getattr(newer, name) == getattr(schedule, name) for name in when):
        return newer
    return replace(newer, next_at=next_of(newer, at))


def arrivals(schedule: Schedule, unfinished: Sequence[Run], now: datetime) -> list[Arrival]:
    """Return what to write down when ``next_at`` has come: all but the latest were missed.

    The latest runs even when it is late: it is still nearer than the next one.
    """
    if schedule.next_at is None or schedule.next_at > now:
        return []
    due = cron.due(schedule.expression, schedule.zone, first=schedule.next_at, now=now)
    missed = [Arrival(at, MISSED, "Nobody was there.") for at in due.missed]
    if missed and due.is_cut:
        missed[0] = replace(missed[0], more_missed=True)
    return [*missed, arrival(schedule, unfinished, due.latest)]


def arrival(schedule: Schedule, unfinished: Sequence[Run], fire_at: datetime) -> Arrival:
    """Return what becomes of one time, by what is to be done while another one runs."""
    if not unfinished:
        return Arrival(fire_at, QUEUED)
    if schedule.overlap == "replace":
        return Arrival(fire_at, QUEUED, ends=tuple(run.id for run in unfinished))
    if schedule.overlap == "queue" and all(run.state != QUEUED for run in unfinished):
        return Arrival(fire_at, QUEUED)
    waits = "One waits already." if schedule.overlap == "queue" else STILL_RUNS
    return Arrival(fire_at, SKIPPED, waits)


def is_too_late(schedule: Schedule, run: Run, now: datetime) -> bool:
    """Say whether a run that could not begin has been overtaken by the next time."""
    following = cron.next_after(schedule.expression, schedule.zone, run.fire_at)
    return not run.by_hand and following is not None and following <= now
