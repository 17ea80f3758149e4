"""Reads ``.env`` files: comments, quotes, and values over several lines."""

import re

from .faults import Fault

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<rest>.*)\Z", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class DotenvRefused(Fault):
    """A text is no ``.env`` file."""


def parse(text: str, name: str = ".env") -> dict[str, str]:
    """Return the keys and values; the line that cannot be read is told by its number alone."""
    values: dict[str, str] = {}
    lines = iter(enumerate(re.split(r"\r?\n", text.removeprefix("\ufeff")), 1))
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:  # the line itself may be a secret
            raise DotenvRefused(f"{name}, line {number}: this is no KEY=VALUE.")
        rest = found["rest"].lstrip()
        while rest[:1] in ("'", '"') and not _closed(rest):
            more = next(lines, None)
            if more is None:
                raise DotenvRefused(f"{name}, line {number}: a quote that never ends.")
            rest += "\n" + more[1]
        values[found["name"]] = _value(rest)
    return values


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
