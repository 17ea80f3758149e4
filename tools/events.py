"""Writes the catalogue of events to ``docs/reference/events.md``: ``python -m tools.events``."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import perron

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "events.md"
HEAD = """# Events

Every verb records what happened as one row of the spine, in the transaction that made it true.
Rows are never edited. Each has `position`, `id`, `type`, `source` (the room), `subject`, `time`
(when it happened), `recorded`, `actor` and `actor_kind` (`person`, `token` or `platform`), `team`,
`app`, `environment`, `correlation` (the operation it came of) and `data`, whose fields are below.
People appear by id only. A field that is removed or changed makes a new version of the type.

This page is made from the code by `python -m tools.events`.
"""


def document() -> str:
    """Return the catalogue, sorted by type."""
    kinds = sorted(_kinds(), key=lambda kind: kind.type)
    return HEAD + "".join(_entry(kind) for kind in kinds)


def _kinds() -> Iterator[type[Any]]:
    seen = set()
    for module in pkgutil.walk_packages(perron.__path__, "perron."):
        if ".migrations" in module.name or module.name.startswith(("perron.cli", "perron.agent")):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            name = str(getattr(kind, "type", ""))
            is_event = dataclasses.is_dataclass(kind) and name.startswith("perron.")
            if is_event and kind not in seen:
                seen.add(kind)
                yield kind


def _entry(kind: type[Any]) -> str:
    about = inspect.cleandoc(kind.__doc__ or "").replace("\n", " ")
    hints = get_type_hints(kind)
    fields = [(each.name, _name(hints[each.name])) for each in dataclasses.fields(kind)]
    room = kind.__module__.split(".")[1]
    table = "".join(f"| `{name}` | `{type_}` |\n" for name, type_ in fields)
    told = f"\n| field | type |\n|---|---|\n{table}" if fields else ""
    return f"\n## {kind.type}\n\n{about} Recorded by `{room}`.\n{told}"


def _name(type_: Any) -> str:
    if isinstance(type_, type) and not hasattr(type_, "__args__"):
        return type_.__name__
    return str(type_).replace("typing.", "").replace("|", "or")


def main() -> None:
    REFERENCE.parent.mkdir(parents=True, exist_ok=True)
    REFERENCE.write_text(document())
    print(REFERENCE)


if __name__ == "__main__":
    main()
