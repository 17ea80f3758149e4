"""Figures, times and states as people read them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from .exits import MISTYPED, Stop

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
KINDS = {
    "healthy": "well",
    "live": "well",
    "done": "well",
    "serving": "well",
    "succeeded": "well",
    "deploying": "moving",
    "asked": "moving",
    "starting": "moving",
    "started": "moving",
    "running": "moving",
    "waiting": "moving",
    "draining": "moving",
    "stopping": "moving",
    "degraded": "degraded",
    "unhealthy": "degraded",
    "backoff": "degraded",
    "parked": "degraded",
    "failed": "failed",
    "crashed": "failed",
    "stopped": "stopped",
    "replaced": "stopped",
    "superseded": "stopped",
    "cancelled": "stopped",
    "empty": "stopped",
    "skipped": "stopped",
    "queued": "moving",
    "missed": "degraded",
}


def now() -> datetime:
    """Return the current time, with its zone."""
    return datetime.fromtimestamp(time.time(), UTC)


def moment(text: object) -> datetime | None:
    """Read a moment of the API; None when it has none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def clock_time(text: object, *, millis: bool = False) -> str:
    """Return ``10:23:41`` of this machine's day."""
    at = moment(text)
    if at is None:
        return "--:--:--"
    shown = at.astimezone().strftime("%H:%M:%S")
    return f"{shown}.{at.microsecond // 1000:03d}" if millis else shown


def when(text: object) -> str:
    """Return a moment as short as it can be told: ``10:23``, ``Fri 16:05`` or ``12 Nov``."""
    at = moment(text)
    if at is None:
        return "-"
    local, today = at.astimezone(), now().astimezone()
    if local.date() == today.date():
        return local.strftime("%H:%M")
    if timedelta(0) <= today - local < timedelta(days=6):
        return local.strftime("%a %H:%M")
    if local.year == today.year:
        return f"{local.day} {local.strftime('%b')}"
    return f"{local.day} {local.strftime('%b %Y')}"


def lasting(seconds: float) -> str:
    """Return how long something took: ``0.3 s``, ``38 min``, ``5 h`` or ``41 d``."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


def age(text: object) -> str:
    """Return how long ago a moment was."""
    at = moment(text)
    return "-" if at is None else lasting(max(0.0, (now() - at).total_seconds()))


def between(start: object, end: object) -> float | None:
    """Return the seconds between two moments of the API."""
    first, last = moment(start), moment(end)
    return max(0.0, (last - first).total_seconds()) if first and last else None


def size(number: float | None) -> str:
    """Return bytes as people say them; ``?`` when nobody measured."""
    if number is None:
        return "?"
    for unit in ("B", "KB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"


def count(number: int | None) -> str:
    """Return a number with its thousands apart; ``?`` when unknown."""
    return "?" if number is None else f"{number:,}"


def plural(number: int, noun: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def kind(state: object) -> str:
    """Return which mark a state has."""
    return KINDS.get(str(state), "unknown")


def bytes_in(text: str) -> int:
    """Read ``2G``, ``512M`` or ``1.5GiB``."""
    plain = text.strip().upper().removesuffix("B").removesuffix("I")
    number, unit = (plain[:-1], plain[-1]) if plain[-1:].isalpha() else (plain, "")
    try:
        found = int(float(number) * _SIZES[unit])
    except (ValueError, KeyError, OverflowError):
        raise Stop(f"{text} is no size; write 512M or 2G.", MISTYPED) from None
    if found <= 0:
        raise Stop(f"{text} is no size: it must be more than nothing.", MISTYPED)
    return found


def since(text: str) -> str:
    """Turn ``10m``, ``2h``, ``3d`` or a moment into a moment of the API."""
    number, unit = text.rstrip("smhdwin"), text.lstrip("0123456789.")
    if unit in _UNITS and number:
        try:
            at = now() - timedelta(seconds=float(number) * _UNITS[unit])
        except (ValueError, OverflowError):
            raise Stop(f"{text} is no time.", MISTYPED) from None
        return at.isoformat().replace("+00:00", "Z")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"{text} is no time; write 10m, 2h, 3d or 2026-11-20T16:00.", MISTYPED) from None
    at = at if at.tzinfo else at.astimezone()
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def lost_sentence(release: dict[str, Any]) -> str:
    """Say how many requests a rollout lost, and why; that nobody measured is said too."""
    lost, requests = release.get("lost"), release.get("requests")
    if lost is None:
        return "Requests lost: not measured."
    total = sum(lost.values())
    of = f" of {requests:,}" if requests is not None else ""
    why = ", ".join(f"{number} {reason}" for reason, number in sorted(lost.items()) if number)
    return f"{total}{of} requests lost{f' ({why})' if why else ''}."
