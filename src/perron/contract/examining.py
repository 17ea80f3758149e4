"""The shapes of what administrators look at: how the platform is, and what it does just now."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

DOCTOR = "/v1/platform/doctor"
WORK = "/v1/platform/work"


class FindingView(BaseModel):
    """One thing looked at: what was seen, and what to do unless it is ok."""

    name: str
    state: Literal["ok", "degraded", "failed", "unknown"]
    text: str
    advice: str


class RoomView(BaseModel):
    """What one part of the platform's folder takes; ``part`` such as builds or volumes."""

    part: str
    bytes: int


class DiskView(BaseModel):
    """The disk the platform's folder is on; builds stop when less than ``reserve`` is free.

    ``parts`` are the folder's, the largest first, as they were ``measured``: None until then.
    """

    folder: str
    total: int
    free: int
    reserve: int
    parts: list[RoomView] | None
    measured: datetime | None


class BackupsView(BaseModel):
    """How fresh the backups in the platform's folder are; ``newest`` is None where there is none.

    ``whole`` can bring up an empty machine; ``states`` are copies of the server's state alone.
    """

    newest: datetime | None
    whole: int
    states: int


class DoctorView(BaseModel):
    """What the platform's machine can and cannot do, as it was ``at`` that time."""

    at: datetime
    findings: list[FindingView]
    disk: DiskView
    backups: BackupsView


class WorkView(BaseModel):
    """An operation under way; ``text`` is its last word, ``step`` is empty while it waits.

    ``app`` and ``environment`` are names, and None when it is about none, or that is gone.
    """

    operation: str
    work: str
    state: Literal["waiting", "running"]
    step: str
    text: str
    asked: datetime
    started: datetime | None
    by: str
    by_name: str | None
    team: str | None
    app: str | None
    environment: str | None
