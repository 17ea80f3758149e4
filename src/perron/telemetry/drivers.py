"""The logs that the agent of this machine keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from perron.contract.node import LOGS, LogPage
from perron.kit.nodeclient import AgentAway, NodeClient
from perron.kit.settings import Home

from .model import LogQuery, LogsAway


class AgentLogs:
    """Asks the agent over its socket."""

    def __init__(self, home: Home) -> None:
        self._node = NodeClient(home.agent_socket)

    def page(self, query: LogQuery) -> LogPage:
        """Return lines, oldest first."""
        with _told():
            return LogPage.model_validate(self._node.get(LOGS, _asked(query)))

    async def follow(self, query: LogQuery, *, wait: float) -> LogPage:
        """Return lines, waiting for a first one, and holding no thread."""
        with _told():
            asked = {**_asked(query), "wait": wait}
            return LogPage.model_validate(await self._node.get_async(LOGS, asked))


def _asked(query: LogQuery) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(query).items()
    }


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except AgentAway as away:
        raise LogsAway("The agent does not answer; logs are kept and come back with it.") from away
