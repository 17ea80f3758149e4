"""The keys of perron.toml: one table says what each may be; parser and JSON Schema read it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PROCESS_NAME = r"[a-z][a-z0-9-]{0,29}"
VOLUME_NAME = r"[a-z][a-z0-9-]{0,29}"
APP_NAME = r"[a-z][a-z0-9-]{0,27}[a-z0-9]"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIMES = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Field:
    """One key: what kind of value it takes, in which bounds, and what it is for."""

    kind: str
    about: str
    low: float | None = None
    high: float | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    example: str = ""


TEXT, FLAG, NUMBER, COUNT = "text", "flag", "number", "count"
SIZE, TIME, PORTS, TABLE = "size", "time", "ports", "table"

HEALTH: Mapping[str, Field] = {
    "path": Field(TEXT, "Path that answers 2xx or 3xx when well.", pattern=r"/\S*", example="/up"),
    "kind": Field(TEXT, "How to look.", choices=("http", "tcp", "up"), example="tcp"),
    "interval": Field(TIME, "Time between two looks.", 1, 300, example="5s"),
    "timeout": Field(TIME, "How long one look may take.", 0.1, 60, example="2s"),
    "deadline": Field(TIME, "How long the start may take.", 1, 3600, example="60s"),
}
PROCESS: Mapping[str, Field] = {
    "command": Field(TEXT, "What to run, by sh, in the app's folder.", example="gunicorn app:app"),
    "health": Field(TABLE, "How to find out whether an instance is well."),
    "drain_timeout": Field(TIME, "How long requests in flight may end.", 0, 86_400, example="30s"),
    "stop_timeout": Field(TIME, "Time from SIGTERM to SIGKILL.", 0, 3600, example="10s"),
    "rollout": Field(
        TEXT, "stop-first: never two at once.", choices=("rolling", "stop-first"), example="rolling"
    ),
    "sticky": Field(FLAG, "Lead a visitor to the same instance each time."),
    "memory": Field(SIZE, "Memory of one instance.", 16 << 20, 1 << 44, example="512M"),
    "cpu": Field(NUMBER, "Cores of one instance.", 0.01, 1024, example="0.5"),
    "processes": Field(COUNT, "Processes and threads of one instance.", 4, 100_000, example="256"),
    "open_files": Field(COUNT, "Open files of one process.", 64, 1_000_000, example="4096"),
}
TABLES: Mapping[str, Mapping[str, Field]] = {
    "build": {
        "root": Field(TEXT, "Folder to build, in a repository of several apps.", example="api"),
        "python": Field(TEXT, "Python version, such as 3.12 or >=3.11.", example="3.12"),
        "node": Field(TEXT, "Node version, such as 22 or >=20.", example="22"),
        "publish": Field(TEXT, "Folder to serve as a static site.", example="dist"),
        "command": Field(TEXT, "What builds the app, instead of what was detected."),
    },
    "static": {"spa": Field(FLAG, "Answer unknown paths with index.html.")},
    "release": {"command": Field(TEXT, "Runs once after the build, before traffic moves.")},
    "network": {"connect": Field(PORTS, "TCP ports to reach, beside the usual ones.")},
}
VOLUME: Mapping[str, Field] = {
    "mount": Field(TEXT, "Where the app sees it.", pattern=r"(/[A-Za-z0-9._-]+)+", example="/data"),
    "size": Field(SIZE, "How much it may hold.", 1 << 20, 1 << 50, example="2G"),
}
CRON: Mapping[str, Field] = {
    "schedule": Field(TEXT, "Minute, hour, day, month, weekday.", example="0 3 * * *"),
    "command": Field(TEXT, "What to run, by sh, in the app's folder.", example="python clean.py"),
    "timezone": Field(TEXT, "Whose clock counts; UTC else.", example="Europe/Berlin"),
    "overlap": Field(
        TEXT,
        "While the one before still runs.",
        choices=("skip", "queue", "replace"),
        example="skip",
    ),
    "timeout": Field(TIME, "When a run is ended.", 1, 86_400, example="1h"),
}
GROUPS: Mapping[str, tuple[Mapping[str, Field], str, str]] = {
    "process": (PROCESS, PROCESS_NAME, "Process types."),
    "volumes": (VOLUME, VOLUME_NAME, "Folders that outlive releases."),
    "cron": (CRON, PROCESS_NAME, "Commands that run by the clock."),
}
APP = Field(TEXT, "The app's name.", pattern=APP_NAME, example="shop")
ABOUT = {
    "build": "How to build.",
    "static": "How a static site is served.",
    "release": "What runs once for each release.",
    "network": "What the app may reach.",
}


class WrongValue(ValueError):
    """A value is not what its key takes; the text says what it takes."""


def checked(field: Field, value: Any) -> Any:
    """Return the value in our units, or raise WrongValue."""
    found = _READERS[field.kind](field, value)
    if isinstance(found, int | float) and not isinstance(found, bool):
        _check_bounds(field, found, value)
    return found


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongValue(f"takes a text{_such_as(field)}")
    if field.choices and value not in field.choices:
        raise WrongValue(f"takes one of {', '.join(field.choices)}")
    if field.pattern and not re.fullmatch(field.pattern, value):
        raise WrongValue(f"cannot be {value!r}{_such_as(field)}")
    if "\x00" in value or len(value) > 4096:
        raise WrongValue("takes a text of at most 4,096 characters")
    return value


def _flag(_field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("takes true or false")
    return value


def _number(field: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongValue(f"takes a number{_such_as(field)}")
    return float(value)


def _count(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValue(f"takes a whole number{_such_as(field)}")
    return value


def _size(field: Field, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise WrongValue(f"takes a size{_such_as(field)}")
    return int(float(match[1]) * _SIZES[match[2].lower()])


def _time(field: Field, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise WrongValue(f"takes seconds or a time{_such_as(field)}")
    return float(match[1]) * _TIMES[match[2] or ""]


def _ports(_field: Field, value: Any) -> list[int]:
    good = isinstance(value, list) and all(
        isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65_536 for port in value
    )
    if not good or len(value) > 64:
        raise WrongValue("takes a list of up to 64 ports from 1 to 65535, such as [8123]")
    return sorted(set(value))


def _check_bounds(field: Field, found: float, value: Any) -> None:
    low, high = field.low, field.high
    if found != found or (low is not None and found < low) or (high is not None and found > high):
        raise WrongValue(f"cannot be {value!r}: from {_shown(field, low)} to {_shown(field, high)}")


def _shown(field: Field, bound: float | None) -> str:
    if bound is None:
        return "any"
    if field.kind == SIZE:
        unit = max((name for name in _SIZES if bound >= _SIZES[name]), key=_SIZES.__getitem__)
        return f"{bound / _SIZES[unit]:g}{unit.upper()}"
    return f"{bound:g}{'s' if field.kind == TIME else ''}"


def _such_as(field: Field) -> str:
    return f", such as {field.example}" if field.example else ""


_READERS: Mapping[str, Callable[[Field, Any], Any]] = {
    TEXT: _text,
    FLAG: _flag,
    NUMBER: _number,
    COUNT: _count,
    SIZE: _size,
    TIME: _time,
    PORTS: _ports,
}
