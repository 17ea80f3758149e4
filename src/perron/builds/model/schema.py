"""The JSON Schema of perron.toml, for editors; made from the same table the parser reads."""

from collections.abc import Mapping
from typing import Any

from .fields import ABOUT, APP, GROUPS, HEALTH, PORTS, TABLES, Field

_SIZE = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+(\.\d+)?[kKmMgGtT]?"}]}
_TIME = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h)?$"}]}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of perron.toml."""
    properties: dict[str, Any] = {"app": _field(APP)}
    for name, keys in TABLES.items():
        properties[name] = _table(keys) | {"description": ABOUT[name]}
    for name, (keys, pattern, about) in GROUPS.items():
        properties[name] = {
            "type": "object",
            "description": about,
            "additionalProperties": False,
            "patternProperties": {f"^{pattern}$": _table(keys)},
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "perron.toml",
        "description": "How an app is built and run.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _table(keys: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _field(field) for key, field in keys.items()},
    }


def _field(field: Field) -> dict[str, Any]:
    about = {"description": field.about}
    if field.kind == "table":
        return _table(HEALTH) | about
    if field.kind == PORTS:
        port = {"type": "integer", "minimum": 1, "maximum": 65_535}
        return {"type": "array", "maxItems": 64, "items": port} | about
    if field.kind == "text":
        return _text(field) | about
    if field.kind == "flag":
        return {"type": "boolean"} | about
    if field.kind in ("size", "time"):
        return (_SIZE if field.kind == "size" else _TIME) | about
    return _number(field) | about


def _text(field: Field) -> dict[str, Any]:
    if field.choices:
        return {"enum": list(field.choices)}
    return {"type": "string"} | ({"pattern": f"^{field.pattern}$"} if field.pattern else {})


def _number(field: Field) -> dict[str, Any]:
    kind = "integer" if field.kind == "count" else "number"
    return {"type": kind, "minimum": field.low, "maximum": field.high}
