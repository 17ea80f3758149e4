"""Chooses an interpreter: the newest the machine offers that the project accepts."""

import re
from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from perron.contract.node import Interpreter

from .detected import BuildRefused

NAMES = {"python": "Python", "node": "Node"}


def choose(
    language: str, wanted: str | None, said_by: str, interpreters: Sequence[Interpreter]
) -> Interpreter:
    """Return the newest interpreter that satisfies ``wanted``, or raise BuildRefused."""
    here = sorted(
        (each for each in interpreters if each.language == language and _final(each.version)),
        key=lambda each: Version(each.version),
    )
    fitting = [each for each in here if accepts(wanted, each.version, said_by)]
    if fitting:
        return fitting[-1]
    raise BuildRefused(
        f"{said_by} needs {NAMES[language]} {_shown(wanted)}; "
        f"here: {', '.join(each.version for each in here) or 'none'}. "
        "Install one and run `perron doctor`."
    )


def accepts(wanted: str | None, version: str, said_by: str) -> bool:
    """Say whether a version satisfies a wish such as ``3.12``, ``>=3.11,<4`` or ``^20 || 22.x``."""
    if not wanted or wanted.strip() in ("*", "latest", "lts/*", "lts", "node"):
        return True
    return any(_accepts(part, version, said_by) for part in wanted.split("||"))


def _accepts(wanted: str, version: str, said_by: str) -> bool:
    try:
        return SpecifierSet(",".join(_specifiers(wanted))).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        raise BuildRefused(
            f"{said_by} asks for version {wanted.strip()!r}, which cannot be read; "
            "write it such as 3.12 or >=3.11,<4."
        ) from None


def _specifiers(wanted: str) -> list[str]:
    """Turn both Python's and npm's ways of writing ranges into Python's."""
    between = re.fullmatch(r"\s*(\S+)\s+-\s+(\S+)\s*", wanted)
    if between:
        return [f">={between[1]}", *_upper(between[2])]
    parts = re.findall(r"(~=|===?|!=|>=|<=|[<>^~=]?)\s*v?([0-9][^\s,]*)", wanted)
    if not parts:
        raise InvalidSpecifier(wanted)
    return [found for sign, number in parts for found in _one(sign, number)]


def _one(sign: str, number: str) -> list[str]:
    plain = re.sub(r"(\.[xX*])+$", "", number)
    numbers = [int(part) for part in re.findall(r"\d+", plain)[:3]]
    if sign in ("", "=") or (sign == "==" and plain != number):
        return [f"=={plain}.*" if len(numbers) < 3 else f"=={plain}"]
    if sign == "^":
        return [f">={plain}", f"<{_after_caret(numbers)}"]
    if sign == "~":
        keep = numbers[: 2 if len(numbers) > 1 else 1]
        return [f">={plain}", f"=={'.'.join(map(str, keep))}.*"]
    return [f"{sign}{plain if sign != '==' else number}"]


def _after_caret(numbers: Sequence[int]) -> str:
    """Return the first version that a caret does not take: the first part not zero may not grow."""
    for place, number in enumerate(numbers):
        if number or place == len(numbers) - 1:
            return ".".join(map(str, [*numbers[:place], number + 1]))
    return "1"


def _upper(number: str) -> list[str]:
    """Return the end of a range: all of ``20`` belongs to ``18 - 20``."""
    numbers = [int(part) for part in re.findall(r"\d+", number)]
    if len(numbers) > 2:
        return [f"<={number}"]
    return [f"<{'.'.join(map(str, [*numbers[:-1], numbers[-1] + 1]))}"] if numbers else []


def _final(version: str) -> bool:
    try:
        return not Version(version).is_prerelease
    except InvalidVersion:
        return False


def _shown(wanted: str | None) -> str:
    text = (wanted or "").strip()
    return text.replace(">=", "≥ ").replace("≥  ", "≥ ") or "(any)"
