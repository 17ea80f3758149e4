"""Configuration: what may be a key, what a rollback keeps, and how to tell two apart."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from perron.kit.problems import NotFound, Problem

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
RESERVED = frozenset({"PORT", "PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED"})
KEPT_BY_SHELLS = frozenset(
    {"UID", "EUID", "PPID", "OPTIND", "IFS", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO", "_"}
)
VALUE_BYTES = 65_536
TOTAL_BYTES = 262_144
TOTAL_KEYS = 500
MASK = "••••"


@dataclass(frozen=True)
class Value:
    """What a key holds; ``secret``: masked when shown; ``build``: builds see it too."""

    text: str
    secret: bool = True
    build: bool = False


@dataclass(frozen=True)
class Kept:
    """A key as it is kept, and who changed it last."""

    name: str
    value: Value
    changed: datetime
    by: str

    @property
    def shown(self) -> str:
        """Return the value as it may be shown to anybody who may read the configuration."""
        return MASK if self.value.secret else self.value.text


@dataclass(frozen=True)
class Difference:
    """Which keys differ between two configurations; never their values."""

    added: list[str]
    removed: list[str]
    changed: list[str]


@dataclass(frozen=True)
class ConfigChanged:
    """Someone changed keys of an environment; an event never carries a value."""

    type: ClassVar[str] = "perron.config.changed.v1"
    set: list[str]
    unset: list[str]


@dataclass(frozen=True)
class ConfigRead:
    """Someone looked at an environment's configuration; told once an hour."""

    type: ClassVar[str] = "perron.config.read.v1"
    kind: str


@dataclass(frozen=True)
class ConfigRevealed:
    """Someone was shown a value in the clear."""

    type: ClassVar[str] = "perron.config.revealed.v1"
    key: str


class ConfigRefused(Problem):
    """A key or a value cannot be kept."""

    status = 422


class ConfigNotFound(NotFound):
    """The environment has no such key."""


def check_name(name: str) -> None:
    """Refuse a key that could not be an environment variable, or that the platform sets itself."""
    if not NAME.fullmatch(name):
        raise ConfigRefused(
            f"{name[:140]!r} cannot be a key: use letters, digits and _, not a digit first, "
            "128 at most.",
            key=name[:140],
        )
    if name in RESERVED or name.startswith("PERRON_"):
        raise ConfigRefused(f"{name} is set by the platform; choose another key.", key=name)
    if name in KEPT_BY_SHELLS:
        raise ConfigRefused(
            f"{name} is kept by the shell that starts the app; choose another key.", key=name
        )


def check_text(name: str, text: str) -> None:
    """Refuse a value that no process could be given."""
    if "\0" in text:
        raise ConfigRefused(f"The value of {name} holds a NUL, which no process takes.", key=name)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ConfigRefused(f"The value of {name} is not valid Unicode.", key=name) from None
    if size > VALUE_BYTES:
        raise ConfigRefused(f"The value of {name} is longer than {VALUE_BYTES:,} bytes.", key=name)


def check_total(values: Mapping[str, Value]) -> None:
    """Refuse a configuration that is too large to hand to a process."""
    if len(values) > TOTAL_KEYS:
        raise ConfigRefused(f"An environment has at most {TOTAL_KEYS} keys.")
    size = sum(len(name) + len(value.text.encode()) for name, value in values.items())
    if size > TOTAL_BYTES:
        raise ConfigRefused(
            f"All values together would be {size:,} bytes; at most {TOTAL_BYTES:,} fit. "
            "Put large files into a volume."
        )


def canonical(values: Mapping[str, Value]) -> str:
    """Write what processes are told as one text, the same for equal configurations."""
    return json.dumps({name: value.text for name, value in values.items()}, sort_keys=True)


def gone_back(then: Mapping[str, Value], now: Mapping[str, Value]) -> dict[str, Value]:
    """Return the plain values of ``then`` with the secrets of ``now``: those were rotated since."""
    plain = {name: value for name, value in then.items() if not value.secret}
    secret = {name: value for name, value in now.items() if value.secret}
    return plain | secret


def difference(before: Mapping[str, Value], after: Mapping[str, Value]) -> Difference:
    """Say which keys were added, removed and changed."""
    both = before.keys() & after.keys()
    return Difference(
        added=sorted(after.keys() - before.keys()),
        removed=sorted(before.keys() - after.keys()),
        changed=sorted(name for name in both if before[name].text != after[name].text),
    )
