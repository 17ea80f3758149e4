"""What bounds the instances of each process type: enforced, watched, open or unknown."""

from collections.abc import Iterable
from typing import Any

Instance = dict[str, Any]


def lines(instances: Iterable[Instance], *, before: str = "") -> list[str]:
    """Return a line for each process type; those with the same bounds share one."""
    told: dict[str, list[str]] = {}
    for each in instances:
        processes = told.setdefault(_said(each), [])
        if each["process"] not in processes:
            processes.append(str(each["process"]))
    return [f"{before}{', '.join(names)}: {said}" for said, names in told.items()]


def _said(instance: Instance) -> str:
    standings = instance.get("limits") or {}
    if not standings:
        return "limits unknown"
    memory = instance.get("memory_limit")
    sized = {"memory": f"memory {memory >> 20} M"} if memory else {}
    return ", ".join(f"{sized.get(name, name)} {how}" for name, how in standings.items())
