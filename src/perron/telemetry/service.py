"""What can be done with logs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from perron.catalog import Environment
from perron.contract.node import LogLine, LogPage
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.kit.settings import Home
from perron.kit.whereabouts import home_of

from . import registry
from .drivers import AgentLogs
from .model import LogQuery, LogsAway, LogsRead
from .ports import NodeLogs

WAIT = 20.0
AGAIN = 1.0


def page(uow: UnitOfWork, query: LogQuery) -> LogPage:
    """Return lines, oldest first: what follows ``after`` or ``since``, else the newest."""
    return _logs_of(home_of(uow)).page(query)


def last_lines(
    uow: UnitOfWork,
    environment: str,
    *,
    n: int = 20,
    source: str | None = None,
    process: str | None = None,
    instance: str | None = None,
    release: int | None = None,
    job: str | None = None,
) -> list[str]:
    """Return the last lines of something, to show why it failed; raises LogsAway."""
    query = LogQuery(environment, source, process, instance, release, job, limit=n)
    return [line.text for line in page(uow, query).lines]


def note_read(uow: UnitOfWork, environment: Environment) -> None:
    """Write down, once an hour, that this reader looked at the logs."""
    spine.record_read(uow, LogsRead(), subject=environment.id, of=environment.place)


async def follow(home: Home, query: LogQuery) -> AsyncIterator[LogLine | LogsAway]:
    """Give lines as they come, for ever; LogsAway once whenever the agent went away."""
    logs, wait, is_away = _logs_of(home), 0.0, False
    while True:
        try:
            found = await logs.follow(query, wait=wait)
        except LogsAway as away:
            if not is_away:
                yield away
            is_away = True
            await asyncio.sleep(AGAIN)
            continue
        is_away = False
        for line in found.lines:
            yield line
        query, wait = replace(query, after=found.next, since=None), WAIT


def _logs_of(home: Home) -> NodeLogs:
    """Return where a home's logs are: with its agent, unless it was told otherwise."""
    return registry.logs_of(home) or registry.use(home, AgentLogs(home))
