"""The shapes of /v1/operations."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

OPERATIONS = "/v1/operations"
OPERATION = OPERATIONS + "/{operation}"
EVENTS = OPERATION + "/events"
CANCEL = OPERATION + "/cancel"


class StepView(BaseModel):
    """One step: waiting, started, done, failed or skipped; with when, and what it says."""

    name: str
    state: str
    started: datetime | None
    finished: datetime | None
    message: str = ""


class ProgressView(BaseModel):
    """One line told along the way; ``facts`` are for machines."""

    position: int
    at: datetime
    step: str
    text: str
    facts: dict[str, Any] = {}


class OperationView(BaseModel):
    """One piece of work: waiting, running, done, failed, cancelled, superseded or parked."""

    id: str
    work: str
    subject: str
    state: str
    reason: str | None
    asked: datetime
    finished: datetime | None
    actor: str
    correlation: str
    steps: list[StepView]
    progress: list[ProgressView]


class FamilyView(BaseModel):
    """An operation, and every other one that came of the same cause, oldest first."""

    operation: OperationView
    family: list[OperationView]
