"""Reads access lines as HAProxy writes them into its ring."""

from datetime import UTC, datetime
from functools import lru_cache

from perron.agent.logs import Told

from .model import AccessLine, release_of

MARK = "@"
FORM = "access1"  # lines are kept as they came; another FORMAT needs another name here
# Fields are parted by spaces, and none can hold one: what is counted without reading relies on it.
FORMAT = (
    f"{MARK}%[var(txn.where)] %[date(0,ms)] %ts %s %ST %Ta %B %rc %HM %[sc0_http_req_cnt] "
    "%[sc0_inc_gpc0] %[var(txn.id)] %[var(txn.shown)] %HPO %[var(txn.query)]"
)
_FIELDS = 15


def parse(line: str) -> AccessLine | None:
    """Return the access line, or None when the edge says something else or of no environment."""
    parts = line.split(" ")
    if len(parts) < _FIELDS - 1 or parts[0][:1] != MARK or parts[0] == f"{MARK}-":
        return None
    try:
        return _access_line([*parts, "-"])
    except ValueError:
        return None


def told(line: str) -> Told | None:
    """Return what people read of a line, and by what it is found."""
    read = parse(line)
    if read is None:
        return None
    process = read.instance.partition(".")[0]
    return Told(read.time, read.text, process, read.instance, read.release)


def _access_line(parts: list[str]) -> AccessLine:
    """Read the fields in the order of ``FORMAT``."""
    where, time, state, server, status, ms, size, retries, method, started, ended = parts[:11]
    id, page, path, query = parts[11:_FIELDS]
    environment, _, host = where[1:].split("|")[:3]
    release, instance = release_of(server)
    return AccessLine(
        _moment(time),
        environment,
        _number(started),
        _number(ended),
        release,
        instance,
        server,
        method,
        host,
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


def _number(field: str) -> int | None:
    return int(field) if field != "-" else None


@lru_cache(4096)
def _moment(milliseconds: str) -> datetime:
    """Return a moment; those who share it share the object too."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
