"""Where each home's logs are read from."""

from perron.kit.settings import Home

from .ports import NodeLogs

_used: dict[Home, NodeLogs] = {}


def use(home: Home, logs: NodeLogs) -> NodeLogs:
    """Have this home's logs read there from now on."""
    _used[home] = logs
    return logs


def logs_of(home: Home) -> NodeLogs | None:
    """Return where a home's logs are read; None before anybody said so."""
    return _used.get(home)
