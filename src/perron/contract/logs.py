"""The shapes of an environment's logs."""

from datetime import datetime

from pydantic import BaseModel

LOGS = "/v1/apps/{app}/environments/{environment}/logs"
FOLLOW = LOGS + "/follow"
SOURCES = ("app", "build", "release", "run", "cron", "router", "platform")


class LineView(BaseModel):
    """One line; ``late``: its time is an upper bound. ``gap`` says what is missing before it."""

    cursor: str
    time: datetime
    source: str
    process: str
    instance: str
    release: int | None
    text: str
    late: bool = False
    gap: str = ""


class LogView(BaseModel):
    """Lines, oldest first; ask again with ``after`` = ``next`` for what follows."""

    lines: list[LineView]
    next: str
