"""Schedules: commands of an environment that run by the clock, with the live release.

They are named in perron.toml, or added by people. Each time that comes is one row, whatever
becomes of it: run, skipped, or missed while nobody was there.
"""

from .model import Run, Schedule, ScheduleFailed, ScheduleMissed, ScheduleNotFound, ScheduleRan
from .service.chores import Chore
from .service.keeping import list_of
from .service.running import last_runs

__all__ = [
    "Chore",
    "Run",
    "Schedule",
    "ScheduleFailed",
    "ScheduleMissed",
    "ScheduleNotFound",
    "ScheduleRan",
    "last_runs",
    "list_of",
]
