"""How figures, times and states are said, in the words of the design. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

STATES: Mapping[str, tuple[str, str]] = {
    "healthy": ("healthy", "Healthy"),
    "deploying": ("deploying", "Deploying"),
    "degraded": ("degraded", "Degraded"),
    "failed": ("failed", "Failed"),
    "stopped": ("stopped", "Stopped"),
    "destroying": ("stopped", "Being destroyed"),
    "empty": ("stopped", "Nothing deployed"),
    "unknown": ("unknown", "Unknown"),
}
RELEASES: Mapping[str, tuple[str, str, str]] = {  # state of the sign, word, kind of plate
    "asked": ("deploying", "Going live", "next"),
    "live": ("healthy", "Live", "live"),
    "replaced": ("stopped", "Replaced", ""),
    "failed": ("failed", "Failed", "refused"),
    "superseded": ("stopped", "Superseded", ""),
    "cancelled": ("stopped", "Cancelled", ""),
}
_ID = re.compile(r"\b([a-z]{2,5}_)[0-9a-f]{28}([0-9a-f]{4})\b")
_INSTANT = re.compile(r"\b([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}):[0-9.]+(?:\+00:00|Z)")
_DIGEST = re.compile(r"[0-9a-f]{40,64}")
BROWSERS = (
    ("perron", "command line"),
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chromium"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([KMGT]?)I?B?")
LENGTHS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_LENGTH = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?) ?([a-z]*)")
_AMOUNT = re.compile(r"([0-9]{1,13}(?:\.[0-9]{1,3})?) ?([a-z]*)")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,30}(/[A-Za-z0-9_+-]{1,30}){0,2}")


@dataclass(frozen=True)
class Clock:
    """What time it is, and in which zone the reader lives."""

    now: datetime
    zone: tzinfo = UTC

    def short(self, at: datetime) -> str:
        """Say when: today as 10:23, within a week as Fri 16:12, else 12 Nov or 12 Nov 2024."""
        there, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        if there.date() == today.date():
            return f"{there:%H:%M}"
        if abs(today.date() - there.date()) < timedelta(days=7):
            return f"{there:%a %H:%M}"
        year = "" if there.year == today.year else f" {there.year}"
        return f"{there.day} {there:%b}{year}"

    def exact(self, at: datetime) -> str:
        """Say when to the second, for things of today."""
        return f"{at.astimezone(self.zone):%H:%M:%S}"

    def day(self, at: datetime) -> str:
        """Say which day it was: Today, Yesterday, Friday 20 Nov, else 12 Nov 2024."""
        there, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        ago = (today.date() - there.date()).days
        if ago in (0, 1):
            return ("Today", "Yesterday")[ago]
        name = f"{there:%A} " if 0 < ago < 7 else ""
        year = "" if there.year == today.year else f" {there.year}"
        return f"{name}{there.day} {there:%b}{year}"

    def milli(self, at: datetime) -> str:
        """Say when to the thousandth, for lines of a log."""
        return f"{at.astimezone(self.zone):%H:%M:%S}.{at.microsecond // 1000:03d}"

    def full(self, at: datetime) -> str:
        """Say when with date and zone: what a time tells when it is pointed at."""
        utc = at.astimezone(UTC)
        return f"{utc.day} {utc:%b %Y %H:%M:%S} UTC"

    def since(self, at: datetime) -> str:
        """Say how long ago, as a length of time."""
        return length((self.now - at).total_seconds())


def zone_named(name: str) -> tzinfo:
    """Return a time zone by its name; UTC when there is none."""
    try:
        return ZoneInfo(name) if _ZONE.fullmatch(name) else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def moment(text: str | datetime) -> datetime:
    """Return the moment the API wrote."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def length(seconds: float) -> str:
    """Say a length of time in one unit: 4.1 s, 38 s, 12 min, 3 h, 41 d."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    for unit, each, until in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 48)):
        if seconds / each < until:
            return f"{seconds / each:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def span(seconds: float) -> str:
    """Say a length of time that was set, to the second: 90 s, 10 min, 1 h."""
    for unit in ("h", "min"):
        if seconds and seconds % LENGTHS[unit] == 0:
            return f"{seconds / LENGTHS[unit]:.0f} {unit}"
    return f"{seconds:g} s"


def seconds_in(text: str) -> float | None:
    """Read ``30 s``, ``10min`` or ``1.5 h``; None when it is no length of time."""
    found = _LENGTH.fullmatch(text.strip().lower())
    unit = LENGTHS.get(found[2]) if found else None
    return float(found[1]) * unit if found and unit else None


def number(value: float) -> str:
    """Say a number with its thousands apart."""
    is_whole = value >= 10 or value < 0.05 or value == int(value)
    return f"{value:,.0f}" if is_whole else f"{value:.1f}"


def size(count: int) -> str:
    """Say a number of bytes with three digits at most."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def spark(counts: Sequence[int | None]) -> str:
    """Draw counts as an SVG path 120 wide and 24 high; the highest reaches the top."""
    known = [count or 0 for count in counts[:-1]]  # the present minute is not over
    if not any(known):
        return "M0 23L120 23"
    scale, step = 21 / max(known), 120 / max(1, len(known) - 1)
    return "M" + "L".join([f"{int(i * step)} {23 - int(n * scale)}" for i, n in enumerate(known)])


def rate(counts: Sequence[int | None]) -> float:
    """Say how many a minute: the mean of the last five whole minutes that are known."""
    known = [count for count in counts[-6:-1] if count is not None]
    return sum(known) / len(known) if known else 0.0


def total(counts: Sequence[int | None]) -> int:
    """Add up what is known."""
    return sum(count or 0 for count in counts)


def ceiling(counts: Sequence[int | None]) -> int:
    """Return a round number at least as high as the highest, for an axis that begins at 0."""
    top = max((count or 0 for count in counts), default=0)
    step = int(10 ** max(0, len(str(top)) - 1))
    return next(n for n in (2 * step, 4 * step, 6 * step, 8 * step, 10 * step) if n >= top)


def curve(counts: Sequence[int | None], top: int) -> str:
    """Draw counts as an SVG path 600 wide and 150 high, where ``top`` is the upper edge."""
    over = counts[:-1]  # the present minute is not over
    step = 600 / max(1, len(over) - 1)
    spots = (f"{i * step:.0f} {150 - (n or 0) / top * 150:.1f}" for i, n in enumerate(over))
    return "M" + "L".join(spots)


def hour(clock: Clock) -> list[str]:
    """Say the times below a chart of the last hour, a quarter apart."""
    return [
        f"{(clock.now - timedelta(minutes=ago)).astimezone(clock.zone):%H:%M}"
        for ago in (60, 45, 30, 15, 0)
    ]


def some(count: int, one: str, many: str = "") -> str:
    """Say how many of something: 1 release, 3 releases, 2 daughters-in-law."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def full_stop(text: str) -> str:
    """Return a text that ends as a sentence does."""
    return text if not text or text[-1] in ".!?…" else f"{text}."


def sentence(text: str) -> str:
    """Return a text that begins with a capital."""
    return text[:1].upper() + text[1:]


def bytes_in(text: str) -> int | None:
    """Read ``512M``, ``2 GB`` or ``1.5GiB``; None when it is no size."""
    found = _SIZE.fullmatch(text.strip().upper())
    return int(float(found[1]) * 1024 ** ("BKMGT".index(found[2] or "B"))) if found else None


def browser(agent: str | None) -> str:
    """Name a browser or client by what it says of itself."""
    for sign, name in BROWSERS:
        if sign in (agent or ""):
            return name
    return (agent or "unknown").split("/")[0][:30]


def amount(value: float, unit: str) -> str:
    """Say how much of a quota: bytes as sizes, the rest with its unit."""
    if unit == "bytes":
        return size(int(value))
    return f"{number(value)} {'min' if unit == 'minutes' else unit}".rstrip()


def amount_in(text: str, unit: str) -> float | None:
    """Read what ``amount`` says, with or without its unit; None when it is no such amount."""
    plain = text.replace(",", "").strip()
    if unit == "bytes":
        return None if plain.isdigit() and plain != "0" else bytes_in(plain)
    found = _AMOUNT.fullmatch(plain)
    is_same = found and (not found[2] or unit.startswith(found[2]))
    return float(found[1]) if found and is_same else None


def happened(type: str) -> str:
    """Say an event's type as words: ``perron.release.live.v1`` is *release live*."""
    return re.sub(r"^perron\.|\.v[0-9]+$", "", type).replace(".", " ").replace("_", " ")


def shortly(value: object) -> str:
    """Say a document in one short line, as far as it is worth a line."""
    if isinstance(value, Mapping):
        known = ((name, each) for name, each in value.items() if each not in (None, "", [], {}))
        text = ", ".join(f"{name} {shortly(each)}" for name, each in known)
    elif isinstance(value, list):
        text = ", ".join(shortly(each) for each in value)
    else:
        known_words = {None: "nothing", True: "yes", False: "no"}
        text = (
            known_words[value] if value is None or value is True or value is False else str(value)
        )
        text = text[:12] if _DIGEST.fullmatch(text) else _ID.sub(r"\1…\2", text)
        text = _INSTANT.sub(r"\1 \2 UTC", text)
    return text if len(text) <= 160 else text[:159] + "…"
