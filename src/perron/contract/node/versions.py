"""Whether two sides understand each other, and what one says that the other has never heard of."""

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from .addresses import VERSION

HEADER = "perron-node-version"
FIRST = 1  # spoken by those who do not say what they speak
APART = 1


def version_told(header: str | None) -> int:
    """Return the version a message says it has; the first one's messages say none."""
    return int(header) if header and header.isdecimal() and len(header) < 10 else FIRST


def is_understood(version: int) -> bool:
    """Say whether messages of this version are understood: our own, and those one apart."""
    return abs(version - VERSION) <= APART


def why_not(server: int, agent: int) -> str:
    """Say why two sides do not speak with each other, and what to do."""
    older = "server" if server < agent else "agent"
    return (
        f"The server speaks version {server} of what is said between the two, the agent {agent}: "
        f"more than one apart. Apps and edge go on serving. The {older} is the older one; start "
        "both from the same, newer Perron: perron up"
    )


def unknown_fields(shape: type[BaseModel], told: object) -> set[str]:
    """Name what was told that the shape does not have, such as ``wishes.sets.colour``."""
    return set(_unknown(shape, told, ""))


def _unknown(shape: type[BaseModel], told: object, at: str) -> Iterator[str]:
    if isinstance(told, list):
        for each in told:
            yield from _unknown(shape, each, at)
    elif isinstance(told, dict):
        known = _known(shape)
        for name, value in told.items():
            if name not in known:
                yield f"{at}{name}"[:120]
            elif (inner := known[name]) is not None:
                yield from _unknown(inner, value, f"{at}{name}.")


@cache
def _known(shape: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """Return each field's name, with the shape inside it where there is one."""
    return {name: _inner(each.annotation) for name, each in shape.model_fields.items()}


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, UnionType):
        return next((found for each in get_args(annotation) if (found := _inner(each))), None)
    return None
