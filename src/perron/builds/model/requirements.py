"""Reads what a Python project depends on, as far as it is written down."""

import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from .detected import BuildRefused

Read = Callable[[str], str | None]
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?")
_BRINGS = {"fastapi[standard]": ["uvicorn"], "fastapi[all]": ["uvicorn"]}


def names(text: str) -> set[str]:
    """Return the packages a requirements file names, in normal form."""
    found: set[str] = set()
    for line in text.splitlines():
        if not line.lstrip().startswith(("#", "-")):
            found |= named(line)
    return found


def named(requirement: str) -> set[str]:
    """Return the package of one requirement, and what its extras are known to bring."""
    match = _NAME.match(requirement)
    if match is None:
        return set()
    name = normal(match[1])
    extras = re.findall(r"[a-z0-9-]+", (match[2] or "").lower())
    return {name, *(each for extra in extras for each in _BRINGS.get(f"{name}[{extra}]", []))}


def normal(name: str) -> str:
    """Return a package's name as the index knows it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def texts(name: str, read: Read, *, depth: int = 0) -> dict[str, str]:
    """Return a requirements file and those it takes in with ``-r`` and ``-c``."""
    text = read(name)
    if text is None or depth > 5:
        return {}
    found = {name: text}
    for line in text.splitlines():
        match = re.match(r"\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)", line)
        if match:
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[1]))
            found |= texts(other, read, depth=depth + 1)
    return found


def takes_source(text: str) -> bool:
    """Say whether requirements install something from the source itself."""
    lines = [line.strip() for line in text.splitlines()]
    return any(
        re.match(r"(-e|--editable)[\s=]|\.{1,2}(/|$|\[)|file:|\S+\s*@\s*file:|\S+/\S*$", line)
        and "://" not in line.split("#")[0].replace("file://", "")
        for line in lines
        if line and not line.startswith(("#", "-r", "-c", "--req", "--con"))
    )


def project(text: str) -> Mapping[str, Any]:
    """Return pyproject.toml as plain values."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as why:
        raise BuildRefused(f"pyproject.toml is not TOML: {why}.") from why


def locked(text: str) -> set[str]:
    """Return the packages uv.lock names."""
    try:
        packages = tomllib.loads(text).get("package", [])
    except tomllib.TOMLDecodeError as why:
        raise BuildRefused(f"uv.lock is not TOML: {why}.") from why
    return {normal(str(each.get("name", ""))) for each in packages if isinstance(each, dict)}
