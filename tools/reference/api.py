"""The API as a page to read, from the OpenAPI document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"
HEAD = """# The HTTP API

Everything the command line and the pages do, they do here. For machines it is
[openapi.json](openapi.json); on a platform it can be tried at `/v1/docs`.

Send `Authorization: Bearer <token>` (`perron tokens create`); on the platform's own machine the
socket `run/api.sock` takes the token in `cli.json`. `perron api GET /v1/apps` does both for you.

- Errors are problem documents with a stable `type`: [problems.md](problems.md).
- Lists come in pages: ask again with `after` = `next`.
- A POST that creates takes an `Idempotency-Key`: sent again within 24 hours, it is answered as
  before.
- What changes something that was read takes its `ETag` in `If-Match`, and answers 412 when it is
  another one by now; `now` in that answer is what there is, to compare and decide.
- Long work answers 202 with an operation: look at it, follow its events, or cancel it.

This page is made from the code by `python -m tools.openapi` and `python -m tools.reference`. A
name in **bold** is required.
"""
SHOWN = ("get", "post", "put", "patch", "delete")


def page() -> str:
    """Return the page: each address by room, then the shapes that are sent and answered."""
    contract = json.loads(CONTRACT.read_text())
    rooms: dict[str, list[str]] = {}
    for path, methods in sorted(contract["paths"].items()):
        for method in SHOWN:
            if told := methods.get(method):
                room = (told.get("tags") or ["platform"])[0]
                rooms.setdefault(room, []).append(_call(method, path, told))
    calls = "".join(f"\n## {room}\n{''.join(rooms[room])}" for room in sorted(rooms))
    shapes = contract["components"]["schemas"]
    return HEAD + calls + "\n## Shapes\n" + "".join(map(_shape, sorted(shapes), _of(shapes)))


def _of(shapes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (shapes[name] for name in sorted(shapes))


def _call(method: str, path: str, told: dict[str, Any]) -> str:
    lines = [f"\n### {method.upper()} {path}\n\n{_line(told.get('description', ''))}\n"]
    if query := [each for each in told.get("parameters", []) if each["in"] != "path"]:
        lines.append(f"\n- takes {', '.join(_parameter(each) for each in query)}\n")
    if body := told.get("requestBody"):
        lines.append(_listed(lines, f"- body {_content(body.get('content', {}))}\n"))
    good = {code: each for code, each in told["responses"].items() if code.startswith("2")}
    for code, each in sorted(good.items()):
        answer = _content(each.get("content", {}))
        lines.append(_listed(lines, f"- {code} {answer}".rstrip() + "\n"))
    return "".join(lines)


def _listed(lines: list[str], line: str) -> str:
    return line if len(lines) > 1 else f"\n{line}"


def _parameter(told: dict[str, Any]) -> str:
    where = " (header)" if told["in"] == "header" else ""
    name = f"`{told['name']}`{where}"
    return f"**{name}**" if told.get("required") else name


def _content(content: dict[str, Any]) -> str:
    kinds = []
    for media, told in content.items():
        named = _type(told.get("schema", {}))
        kinds.append(named if media == "application/json" else f"`{media}`")
    return " or ".join(each for each in kinds if each)


def _shape(name: str, shape: dict[str, Any]) -> str:
    head = f"\n### {name}\n"
    if text := _line(shape.get("description", "")):
        head += f"\n{text}\n"
    if not (fields := shape.get("properties")):
        return head + (f"\nOne of: {_values(shape)}\n" if "enum" in shape else "")
    required = shape.get("required", [])
    rows = [
        f"| {f'**`{each}`**' if each in required else f'`{each}`'} | {_type(told)} |\n"
        for each, told in fields.items()
    ]
    return head + "\n| field | |\n|---|---|\n" + "".join(rows)


def _type(told: dict[str, Any]) -> str:
    if reference := told.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in told:
            return " or ".join(dict.fromkeys(_type(each) for each in told[several]))
    if "enum" in told or "const" in told:
        return _values(told)
    if told.get("type") == "array":
        return f"list of {_type(told.get('items', {})) or 'anything'}"
    inner = told.get("additionalProperties")
    if told.get("type") == "object" and isinstance(inner, dict):
        return f"object of {_type(inner) or 'anything'}"
    return _simple(told)


def _simple(told: dict[str, Any]) -> str:
    kind = str(told.get("format") or told.get("type") or "anything")
    low, high = told.get("minimum"), told.get("maximum")
    if low is not None or high is not None:
        kind += f" {low if low is not None else ''}–{high if high is not None else ''}"
    if "maxLength" in told:
        kind += f", at most {told['maxLength']:,} signs"
    return kind


def _values(told: dict[str, Any]) -> str:
    values = told.get("enum") or [told["const"]]
    return ", ".join(f"`{json.dumps(each)}`" for each in values)


def _line(text: str) -> str:
    """Return a description as one paragraph."""
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")
