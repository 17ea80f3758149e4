"""Reads access lines as HAProxy writes them into its ring."""

from datetime import UTC, datetime
from functools import lru_cache

from .model import AccessLine, release_of

MARK = "@"
FORMAT = (
    f"{MARK} %pid %[date(0,ms)] %Ta %ST %B %ts %rc %s %HM %[var(txn.where)] %[var(txn.n)] "
    "%[var(txn.id)] %[var(txn.shown)] %[var(txn.host)] %HPO %[var(txn.query)]"
)
_FIELDS = 17


def parse(line: str) -> AccessLine | None:
    """Return the access line, or None when the edge says something else or of no environment."""
    parts = line.split(" ")
    if len(parts) < _FIELDS - 1 or parts[0] != MARK or parts[10] == "-":
        return None
    try:
        return _access_line([*parts, "-"])
    except ValueError:
        return None


def _access_line(parts: list[str]) -> AccessLine:
    """Read the fields in the order of ``FORMAT``; there are thousands in a second."""
    _, pid, time, ms, status, size, state, retries, server, method, where, number, id = parts[:13]
    page, host, path, query = parts[13:_FIELDS]
    release, instance = release_of(server)
    return AccessLine(
        _moment(time),
        int(pid),
        where.partition("|")[0],
        int(number) if number != "-" else None,
        release,
        instance,
        server,
        method,
        "" if host == "-" else host,
        path,
        "" if query == "-" else query,
        int(status),
        max(0, int(ms)),
        int(size),
        id,
        state,
        int(retries) if retries != "0" else 0,  # +1: the last one went to another instance
        "" if page == "-" else page,
    )


@lru_cache(4096)
def _moment(milliseconds: str) -> datetime:
    """Return a moment; those who share it share the object too."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
