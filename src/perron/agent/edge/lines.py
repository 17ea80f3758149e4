"""Reads access lines as HAProxy writes them into its ring."""

from datetime import UTC, datetime

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
    server = parts[8]
    release, instance = release_of(server)
    return AccessLine(
        time=datetime.fromtimestamp(int(parts[2]) / 1000, UTC),
        worker=int(parts[1]),
        environment=parts[10].partition("|")[0],
        sequence=int(parts[11]) if parts[11] != "-" else None,
        release=release,
        instance=instance,
        server=server,
        method=parts[9],
        host=_text(parts[14]),
        path=parts[15],
        query=_text(parts[16]),
        status=int(parts[4]),
        ms=max(0, int(parts[3])),
        bytes=int(parts[5]),
        request_id=parts[12],
        state=parts[6],
        retries=int(parts[7].lstrip("+")),
        page=_text(parts[13]),
    )


def _text(field: str) -> str:
    return "" if field == "-" else field
