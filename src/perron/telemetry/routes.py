"""The HTTP door of telemetry: logs, by the page and as they come."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from perron import access, catalog
from perron.access import By
from perron.contract.logs import FOLLOW, LOGS, LineView, LogView
from perron.contract.node import LogLine
from perron.kit import clock, web
from perron.kit.db import reading
from perron.kit.web import Sent, Work
from perron.kit.whereabouts import home_of

from . import service
from .model import LogQuery, LogsAway, moment, position

router = APIRouter(tags=["logs"])
Source = Literal["app", "build", "release", "run", "cron", "router", "platform"]
MORE_AT_ONCE = 1000


@dataclass(frozen=True)
class Filter:
    """The part of a query that both addresses share; ``since`` and ``until``: a time, or 10m.

    ``after`` and ``before`` are the cursors of lines: what follows one, or came before it.
    """

    source: Source | None = None
    process: str | None = None
    instance: str | None = None
    release: int | None = None
    since: str | None = None
    until: str | None = None
    text: Annotated[str | None, Query(max_length=1000)] = None
    after: str | None = None
    before: str | None = None

    def query(self, environment: str, limit: int) -> LogQuery:
        """Return what to ask for."""
        now = clock.now()
        return LogQuery(
            environment,
            self.source,
            self.process,
            self.instance,
            self.release,
            since=moment(self.since, now),
            until=moment(self.until, now),
            text=self.text or None,
            after=position(self.after),
            before=position(self.before),
            limit=limit,
        )


Wanted = Annotated[Filter, Depends()]


@router.get(LOGS)
def read_logs(
    app: str,
    environment: str,
    wanted: Wanted,
    work: Work,
    by: By,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> LogView:
    """Show lines, oldest first: what follows ``after`` or ``since``, else the newest."""
    found = catalog.enter(work, by, app, environment, "logs.read")
    page = service.page(work, wanted.query(found.id, limit))
    service.note_read(work, found)
    return LogView(lines=[_view(line) for line in page.lines], next=str(page.next))


@router.get(FOLLOW, response_class=StreamingResponse)
def follow_logs(
    app: str,
    environment: str,
    wanted: Wanted,
    work: Work,
    by: By,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """Stream ``line`` events as lines come, after the newest ``limit``; ``away`` means: wait."""
    found = catalog.enter(work, by, app, environment, "logs.read")
    service.note_read(work, found)
    query = wanted.query(found.id, limit)
    if last_event_id:
        again = Filter(**{**vars(wanted), "after": last_event_id, "since": None})
        query = again.query(found.id, MORE_AT_ONCE)

    def check() -> None:
        with reading(request.app.state.database) as uow:
            catalog.enter(uow, access.identify(request, uow), app, environment, "logs.read")

    return web.stream(_sent(service.follow(home_of(work), query)), check)


async def _sent(lines: AsyncIterator[LogLine | LogsAway]) -> AsyncIterator[Sent]:
    async for line in lines:
        if isinstance(line, LogsAway):
            yield Sent("away", json.dumps({"detail": line.detail}))
        else:
            yield Sent("line", _view(line).model_dump_json(), str(line.cursor))


def _view(line: LogLine) -> LineView:
    return LineView(
        cursor=str(line.cursor),
        time=line.time,
        source=line.source,
        process=line.process,
        instance=line.instance,
        release=line.release,
        text=line.text,
        late=line.late,
        gap=line.gap,
    )
