"""Keys and values as people write them: on the command line, in files, in ``.env``."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from .exits import MISTYPED, Stop

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<rest>.*)\Z", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


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
    """Read the lines of a ``.env`` file: comments, quotes, and values over several lines."""
    values: dict[str, str] = {}
    lines = iter(enumerate(re.split(r"\r?\n", text.removeprefix("\ufeff")), 1))
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:  # the line itself may be a secret: only its number is told
            raise Stop(f"{name}, line {number}: this is no KEY=VALUE.", MISTYPED)
        rest = found["rest"].lstrip()
        while rest[:1] in ("'", '"') and not _closed(rest):
            more = next(lines, None)
            if more is None:
                raise Stop(f"{name}, line {number}: a quote that never ends.", MISTYPED)
            rest += "\n" + more[1]
        values[found["name"]] = _value(rest)
    return values


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


def _closed(rest: str) -> bool:
    quote = rest[0]
    body = re.sub(r"\\.", "", rest[1:], flags=re.S) if quote == '"' else rest[1:]
    return quote in body


def _value(rest: str) -> str:
    if rest.startswith("'"):
        return rest[1 : rest.index("'", 1)]
    if rest.startswith('"'):
        found = re.match(r'"((?:[^"\\]|\\.)*)"', rest, re.S)
        body = found[1] if found else rest[1:]
        return re.sub(r"\\(.)", lambda each: _ESCAPES.get(each[1], each[0]), body, flags=re.S)
    return re.split(r"\s+#", rest, maxsplit=1)[0].strip()
