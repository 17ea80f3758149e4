"""What a schedule of five fields means: when it is next, and what was missed, in its time zone.

Changes of local time are taken as Debian's cron takes them: what a clock jumps over happens at
once, and what it repeats does not happen twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from .problems import Unprocessable

NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LONGEST = 100
COUNTED = 100  # missed times that are told one by one
LOOKED_AT = 2_000  # times that are looked at to find the latest
STEPS = (timedelta(0), timedelta(hours=1), timedelta(hours=2), timedelta(hours=4))


class ScheduleRefused(Unprocessable):
    """A schedule or a time zone cannot be read."""


@dataclass(frozen=True)
class Due:
    """Times that have come: the latest, and those before it, oldest first.

    ``is_cut`` says that there were more before them than are told.
    """

    latest: datetime
    missed: tuple[datetime, ...] = ()
    is_cut: bool = False


def check(expression: str, zone: str) -> None:
    """Raise ScheduleRefused unless this says when something happens."""
    if zone not in _zones():
        raise ScheduleRefused(
            f"{zone[:60]!r} is no time zone; such as UTC, Europe/Berlin or America/New_York.",
            zone=zone[:60],
        )
    if next_after(expression, zone, datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise ScheduleRefused(f"{expression!r} never comes: no such day is in any year.")


def next_after(expression: str, zone: str, at: datetime) -> datetime | None:
    """Return the first time after a moment, in UTC; None when there is none for 50 years."""
    for step in STEPS:  # in an hour that repeats, what comes next may lie before the moment
        found = _next(expression, (at + step).astimezone(ZoneInfo(zone)))
        if found is None or found > at:
            return found
    return None


def times_after(expression: str, zone: str, at: datetime) -> Iterator[datetime]:
    """Give the times after a moment, one after the other."""
    while (found := next_after(expression, zone, at)) is not None:
        yield found
        at = found


def due(expression: str, zone: str, *, first: datetime, now: datetime) -> Due:
    """Return what has come since ``first``, which is one of the times and has come itself."""
    times, is_cut = [first], False
    for each in times_after(expression, zone, first):
        if each > now:
            break
        times.append(each)
        if len(times) > LOOKED_AT:  # the server was away for long: only the last day is told
            return _since_yesterday(expression, zone, first, now)
    if len(times) > COUNTED + 1:
        times, is_cut = times[-COUNTED - 1 :], True
    return Due(times[-1], tuple(times[:-1]), is_cut)


def _since_yesterday(expression: str, zone: str, first: datetime, now: datetime) -> Due:
    start = next_after(expression, zone, now - timedelta(hours=25)) or first
    times = [start]
    for each in times_after(expression, zone, start):
        if each > now:
            break
        times.append(each)
    return Due(times[-1], tuple(times[-COUNTED - 1 : -1]), is_cut=True)


def _next(expression: str, local: datetime) -> datetime | None:
    try:
        found = next(CronSim(_fields(expression), local))
    except CronSimError as why:
        raise _refused(expression, str(why)) from why
    except StopIteration:
        return None
    return found.astimezone(UTC)


def _fields(expression: str) -> str:
    plain = NAMED.get(expression.strip().lower(), expression)
    if len(plain) > LONGEST:
        raise _refused(expression[:40], f"Longer than {LONGEST} characters")
    if len(plain.split()) != 5:
        raise _refused(expression, "Five fields are needed")
    return plain


def _refused(expression: str, why: str) -> ScheduleRefused:
    return ScheduleRefused(
        f"{expression!r} is no schedule: {why}. Write minute, hour, day, month and weekday, such "
        "as '0 3 * * *' (daily at 3:00) or '*/5 * * * *', or @hourly, @daily, @weekly, @monthly."
    )


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
