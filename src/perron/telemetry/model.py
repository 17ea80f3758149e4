"""What can be asked of the logs, and how a moment is written."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from perron.kit.problems import Problem, Unprocessable

_AGO = re.compile(r"(\d{1,9})(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class LogsAway(Problem):
    """The agent, which keeps the logs, does not answer."""

    status = 503


class SinceRefused(Unprocessable):
    """A moment cannot be read."""


@dataclass(frozen=True)
class LogsRead:
    """Somebody read an environment's logs; recorded once an hour for each reader."""

    type: ClassVar[str] = "perron.logs.read.v1"
    kind: str = "logs"


@dataclass(frozen=True)
class LogQuery:
    """Which lines of an environment are wanted; None takes all."""

    environment: str
    source: str | None = None
    process: str | None = None
    instance: str | None = None
    release: int | None = None
    job: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    after: int | None = None
    before: int | None = None
    limit: int = 1000


def moment(text: str | None, now: datetime) -> datetime | None:
    """Return the moment ``text`` means: RFC 3339, or how long ago, such as ``10m``."""
    if not text:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise _refused(text) from None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _refused(text) from None
    if found.tzinfo is None:
        raise SinceRefused(f"{text!r} has no zone: write {text}Z for UTC, or an offset.")
    return found


def position(cursor: str | None) -> int | None:
    """Return the number a cursor stands for."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal()) or len(cursor) > 18:
        raise SinceRefused("The cursor is none of ours: use the `next` of a page, unchanged.")
    return int(cursor)


def _refused(text: str) -> SinceRefused:
    return SinceRefused(
        f"{text!r} is no moment: write 2026-01-31T12:00:00Z, or how long ago, such as 90s, 10m, 2h."
    )
