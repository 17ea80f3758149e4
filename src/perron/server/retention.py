"""Which backups are kept: the newest of so many hours, days and weeks, as the settings say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from perron.kit.settings import Settings

from .freshness import made_at


@dataclass(frozen=True)
class Policy:
    """How many hours, days and weeks have their newest backup kept."""

    hourly: int = 24
    daily: int = 7
    weekly: int = 0

    def __str__(self) -> str:
        return f"{self.hourly} by hour, {self.daily} by day, {self.weekly} by week"


def policy_of(settings: Settings) -> Policy:
    """Return what the settings say."""
    return Policy(settings.backups_hourly, settings.backups_daily, settings.backups_weekly)


def to_keep(backups: Iterable[Path], policy: Policy) -> set[Path]:
    """Return the newest backup of each hour, day and week that is kept, and the newest of all."""
    dated = [(made, each) for each in backups if (made := made_at(each))]
    dated.sort(reverse=True)
    kept = {dated[0][1]} if dated else set()
    for form, number in (
        ("%Y%m%d%H", policy.hourly), ("%Y%m%d", policy.daily), ("%G%V", policy.weekly),
    ):  # fmt: skip
        kept |= _newest_of_each(dated, form, number)
    return kept


def _newest_of_each(dated: list[tuple[datetime, Path]], form: str, number: int) -> set[Path]:
    newest: dict[str, Path] = {}
    for made, each in dated:
        newest.setdefault(made.strftime(form), each)
    return set(list(newest.values())[:number])
