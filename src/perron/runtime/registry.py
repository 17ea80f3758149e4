"""Which engines are installed, and which one each home uses."""

from perron.kit import plugins
from perron.kit.problems import NotFound
from perron.kit.settings import Home

from .ports import Engine

_used: dict[Home, Engine] = {}


class EngineNotFound(NotFound):
    """No installed package offers that engine."""


def engine_named(name: str, home: Home) -> Engine:
    """Return an engine for a home by its short name, such as ``node``."""
    found = plugins.load("perron.engines")
    if name not in found:
        raise EngineNotFound(f"No engine {name!r}; installed: {', '.join(sorted(found))}.")
    engine: Engine = found[name](home)
    return engine


def use(home: Home, engine: Engine) -> None:
    """Have this home's wishes and jobs handed to ``engine``."""
    _used[home] = engine


def engine_of(home: Home) -> Engine:
    """Return the engine of a home: the one it was told to use, or the agent of this machine."""
    if home not in _used:
        _used[home] = engine_named("node", home)
    return _used[home]
