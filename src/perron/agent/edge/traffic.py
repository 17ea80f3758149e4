"""How many requests each environment had in each minute of the last hour."""

import sqlite3
from collections.abc import Iterable

HOUR = 60
LATE = 1  # whole minutes that may still grow: lines are read a moment after they are written


class Minutes:
    """Adds seconds up to minutes, each minute once; only the newest are read again."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[int, int]] = {}
        self._settled = 0

    def read(
        self, database: sqlite3.Connection, environments: Iterable[str], now: int
    ) -> dict[str, list[int]]:
        """Return the last sixty minutes of each environment, the present one last."""
        last = now // 60
        first = last - HOUR + 1
        again = max(first, self._settled)
        counts = {each: self._of(database, each, first, again) for each in environments}
        self._sums, self._settled = counts, last - LATE
        hour = range(first, last + 1)
        return {each: [sums.get(minute, 0) for minute in hour] for each, sums in counts.items()}

    def _of(
        self, database: sqlite3.Connection, environment: str, first: int, again: int
    ) -> dict[int, int]:
        known = self._sums.get(environment)
        since = first if known is None else again
        kept = {minute: n for minute, n in (known or {}).items() if first <= minute < since}
        rows = database.execute(
            "select second / 60, sum(requests) from router_second"
            " where environment = ? and second >= ? group by 1",
            (environment, since * 60),
        )
        return kept | dict(rows.fetchall())
