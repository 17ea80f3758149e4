"""The socket telemetry offers to whatever keeps logs."""

from typing import Protocol

from perron.contract.node import LogPage

from .model import LogQuery


class NodeLogs(Protocol):
    """Reads the logs of a machine; raises LogsAway while it does not answer."""

    def page(self, query: LogQuery) -> LogPage:
        """Return lines, oldest first: what follows ``after`` or ``since``, else the newest."""

    async def follow(self, query: LogQuery, *, wait: float) -> LogPage:
        """Return the same, waiting up to ``wait`` seconds for a first line."""
