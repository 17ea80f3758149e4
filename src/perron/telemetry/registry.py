"""Where each home's logs are read from."""

from perron.kit.settings import Home

from .drivers import AgentLogs
from .ports import NodeLogs

_used: dict[Home, NodeLogs] = {}


def use(home: Home, logs: NodeLogs) -> None:
    """Have this home's logs read from somewhere else than its agent."""
    _used[home] = logs


def logs_of(home: Home) -> NodeLogs:
    """Return where a home's logs are read: its agent, unless it was told otherwise."""
    if home not in _used:
        _used[home] = AgentLogs(home)
    return _used[home]
