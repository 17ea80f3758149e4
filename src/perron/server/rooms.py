"""The rooms of the server's house, from the ground up."""

import logging
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

log = logging.getLogger(__name__)

ROOMS = (
    "access", "operations", "catalog", "config", "runtime", "edge",
    "telemetry", "builds", "services", "releases", "views",
)  # fmt: skip


def load() -> list[ModuleType]:
    """Enter every room by its front door; each brings its tables along."""
    return [import_module(f"perron.{room}") for room in ROOMS if has(f"perron.{room}")]


def has(module: str) -> bool:
    """Say whether the house has that module, with all that it leans on."""
    try:
        if find_spec(module) is None:
            return False
        import_module(module)
    except ImportError as why:
        log.warning("%s is left out: %s", module, why)
        return False
    return True


def those(name: str) -> list[ModuleType]:
    """Return every room's module of that name, such as ``routes``, from the ground up."""
    paths = [f"perron.{room}.{name}" for room in ROOMS]
    return [import_module(path) for path in paths if has(path)]
