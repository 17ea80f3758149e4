"""Every type of problem the API answers with, from the classes that are raised."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import perron
from perron.kit.problems import Problem
from perron.server.problems import OWN, TYPES

HEAD = f"""# Problem types

Every error of the API is a problem document (RFC 9457): `type`, `title`, `status`, `detail` (what
happened, and what to do) and, for some, further facts. `type` is `{TYPES}` and the name below; it
never changes its meaning. Asking for that address tells the same in JSON; `perron explain NAME`
says more about the common ones, offline. The exit code of a command follows from the status:
[exit codes](cli.md#exit-codes).

This page is made from the code by `python -m tools.reference`.
"""
ASIDE = ("perron.cli", "perron.agent", "perron.client", "perron.dashboard")


def page() -> str:
    """Return the page: a table for each room, by status."""
    rooms: dict[str, list[tuple[int, str, str]]] = {}
    for kind in _kinds():
        room = kind.__module__.split(".")[1]
        rooms.setdefault(room, []).append((kind.status, kind.__name__, _first_line(kind)))
    rooms["server"] = [*rooms.get("server", []), *_own()]
    return HEAD + "".join(_table(room, sorted({*rows})) for room, rows in sorted(rooms.items()))


def _kinds() -> Iterator[type[Problem]]:
    for module in pkgutil.walk_packages(perron.__path__, "perron."):
        if ".migrations" in module.name or module.name.startswith(ASIDE):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            is_ours = issubclass(kind, Problem) and kind.__module__ == module.name
            if is_ours and kind is not Problem:
                yield kind


def _own() -> list[tuple[int, str, str]]:
    return [(status, name, text) for name, (status, text) in OWN.items()]


def _table(room: str, rows: list[tuple[int, str, str]]) -> str:
    body = "".join(f"| `{name}` | {status} | {text} |\n" for status, name, text in rows)
    return f"\n## {room}\n\n| type | status | what happened |\n|---|---|---|\n{body}"


def _first_line(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").splitlines()[0].replace("|", "\\|")
