"""The shapes of schedules: commands of an environment that run by the clock."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from .apps import Strict
from .releases import ENVIRONMENT

SCHEDULES = ENVIRONMENT + "/schedules"
SCHEDULE = SCHEDULES + "/{schedule}"
RUNS = SCHEDULE + "/runs"
CHORES = "/v1/platform/schedules"
CHORE_RUNS = CHORES + "/{schedule}/runs"

Overlap = Literal["skip", "queue", "replace"]
Timeout = Annotated[float, Field(ge=1, le=86_400)]


class ScheduleRequest(Strict):
    """A command to run by the clock, with the release that is live then.

    ``schedule`` has five fields (minute, hour, day, month, weekday) or is ``@hourly``,
    ``@daily``, ``@weekly``, ``@monthly``; in ``timezone``. ``overlap`` says what happens while
    the one before still runs; ``timeout`` (seconds) ends a run.
    """

    name: str
    schedule: str
    command: str
    timezone: str = "UTC"
    overlap: Overlap = "skip"
    timeout: Timeout = 3600.0
    enabled: bool = True


class ScheduleChange(Strict):
    """What changes of a schedule; what is left out stays.

    Of one that perron.toml names only ``enabled`` can be changed here.
    """

    schedule: str | None = None
    command: str | None = None
    timezone: str | None = None
    overlap: Overlap | None = None
    timeout: Timeout | None = None
    enabled: bool | None = None


class ScheduleRunView(BaseModel):
    """One time a schedule came, or was run by hand, and what became of it.

    ``state`` is queued, running, done, failed, skipped (``text`` says why), missed (nobody was
    there) or cancelled. Its lines are the logs of ``job``, source ``cron``.
    """

    id: str
    fire_at: datetime
    state: str
    by_hand: bool
    by: str
    by_name: str | None
    release: int | None
    started: datetime | None
    finished: datetime | None
    exit_code: int | None
    text: str
    job: str


class ScheduleView(BaseModel):
    """A command that runs by the clock; ``origin`` is ``perron.toml`` or ``api``."""

    id: str
    name: str
    schedule: str
    timezone: str
    command: str
    overlap: Overlap
    timeout: float
    enabled: bool
    origin: str
    created: datetime
    next: datetime | None
    last: ScheduleRunView | None
