"""Keys and values as people write them: on the command line, in files, in ``.env``."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from perron.client import dotenv

from .exits import MISTYPED, Stop

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def of_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``KEY=VALUE``, ``KEY=-`` (stdin) and ``KEY@FILE``."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, value = _pair(pair)
        if name in values:
            raise Stop(f"{name} is there twice.", MISTYPED)
        values[name] = value
    if sum(pair.endswith("=-") for pair in pairs) > 1:
        raise Stop("Only one key can be read from stdin.", MISTYPED)
    return values


def of_file(file: Path) -> dict[str, str]:
    """Read a ``.env`` file; ``-`` is stdin."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as why:
        reason = getattr(why, "strerror", None) or "it is not UTF-8"
        raise Stop(f"{file} cannot be read: {reason}.", MISTYPED) from why
    values = parse(text, str(file))
    if not values:
        raise Stop(f"There is no KEY=VALUE in {file}.", MISTYPED)
    return values


def parse(text: str, name: str = ".env") -> dict[str, str]:
    """Read the lines of a ``.env`` file."""
    try:
        return dotenv.parse(text, name)
    except dotenv.DotenvRefused as why:
        raise Stop(str(why), MISTYPED) from why


def _pair(pair: str) -> tuple[str, str]:
    found = re.match(r"([^=@]*)([=@])(.*)\Z", pair, re.S)
    if found is None:
        raise Stop(
            "A key without a value; write KEY=VALUE, KEY=- for stdin, or KEY@FILE.", MISTYPED
        )
    name, sign, value = found.groups()
    if not _NAME.match(name):
        raise Stop(f"{name!r} is no name for a key; use letters, digits and _.", MISTYPED)
    if sign == "@":
        return name, _content(value)
    return name, sys.stdin.read().removesuffix("\n") if value == "-" else value


def _content(path: str) -> str:
    try:
        return Path(path).read_text().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as why:
        reason = getattr(why, "strerror", None) or "it is not UTF-8"
        raise Stop(f"{path} cannot be read: {reason}.", MISTYPED) from why
