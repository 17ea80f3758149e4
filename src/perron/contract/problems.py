"""Problem details (RFC 9457): how every error is told."""

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


class ProblemView(BaseModel):
    """What happened, and what to do; ``type`` is stable: ``/v1/problems/{code}``."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
