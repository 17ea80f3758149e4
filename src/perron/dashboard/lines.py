"""How a line of a log is read: how bad it is, who says it, and where a searched text stands."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Line = Mapping[str, Any]

# Both are read by the script as well: what Python and JavaScript understand alike, nothing more.
ERROR = (
    r"\b(?:ERROR|CRITICAL|FATAL|PANIC|Traceback|Unhandled|Exception)\b"
    r"|\"level\": ?\"(?:error|fatal|critical)\""
)
WARN = r"\b(?:WARN|WARNING|DEPRECATED)\b|\"level\": ?\"warn(?:ing)?\""
REFUSED = r"^\S+ \S+ 5\d\d\b"
LEVELS = ("error", "warn", "info")
_ERROR, _WARN, _REFUSED = re.compile(ERROR), re.compile(WARN), re.compile(REFUSED)


def level(line: Line) -> str:
    """Return how bad a line is by its own words: error, warn or info."""
    text = line["text"]
    if _ERROR.search(text) or (line["source"] == "router" and _REFUSED.search(text)):
        return "error"
    return "warn" if _WARN.search(text) else "info"


def speaker(line: Line) -> str:
    """Return who says a line: an instance by its name, else where it comes from."""
    if line["source"] == "platform":
        return "perron"
    return str(line["instance"] or line["process"] or line["source"])


def pieces(text: str, searched: str) -> Iterator[tuple[bool, str]]:
    """Cut a text into what was searched for (True) and the rest (False)."""
    if not searched:
        yield False, text
        return
    for at, piece in enumerate(re.split(f"({re.escape(searched)})", text, flags=re.IGNORECASE)):
        if piece:
            yield at % 2 == 1, piece
