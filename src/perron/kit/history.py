"""What is in the spine already, a page at a time."""

from collections.abc import Collection

from sqlalchemy import select

from .db import UnitOfWork
from .spine import Event, events


def past(
    uow: UnitOfWork,
    types: Collection[str],
    *,
    app: str,
    environment: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Event]:
    """Return what happened to an app, newest first, before a position when one is given."""
    wanted = (events.c.app == app) & events.c.type.in_(types)
    if environment is not None:
        wanted &= events.c.environment == environment
    if before is not None:
        wanted &= events.c.position < before
    query = select(events).where(wanted).order_by(events.c.position.desc()).limit(limit)
    return [Event(**row) for row in uow.connection.execute(query).mappings()]
