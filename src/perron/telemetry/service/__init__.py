"""What can be done with logs."""

from collections.abc import AsyncIterator

from perron.catalog import Environment
from perron.contract.node import LogLine, LogPage
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.kit.settings import Home
from perron.kit.whereabouts import home_of
from perron.telemetry import registry
from perron.telemetry.drivers import AgentLogs
from perron.telemetry.model import LogQuery, LogsAway, LogsRead
from perron.telemetry.ports import NodeLogs

from . import following


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


def follow(home: Home, query: LogQuery) -> AsyncIterator[LogLine | LogsAway]:
    """Give lines as they come, for ever; LogsAway once whenever the agent went away."""
    return following.follow(_logs_of(home), query)


def _logs_of(home: Home) -> NodeLogs:
    """Return where a home's logs are: with its agent, unless it was told otherwise."""
    return registry.logs_of(home) or registry.use(home, AgentLogs(home))
