"""Lines of logs, as a node keeps them."""

from datetime import datetime

from pydantic import BaseModel

from .addresses import VERSION


class LogLine(BaseModel):
    """One line; ``late``: read after the agent was away, so its time is an upper bound.

    ``source`` is app, build, release, run, router or platform. Both streams of a
    process share one file, so that their order holds.
    """

    cursor: int
    time: datetime
    source: str
    process: str = ""
    instance: str = ""
    release: int | None = None
    job: str = ""
    text: str
    late: bool = False
    gap: str = ""


class LogPage(BaseModel):
    """Lines, oldest first; ask again with ``after`` = ``next`` for what follows."""

    version: int = VERSION
    lines: list[LogLine]
    next: int
