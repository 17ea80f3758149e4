"""The shapes of quotas: what a team may have, and how much of it is used."""

from typing import Annotated

from pydantic import BaseModel, Field

from .apps import Strict

QUOTAS = "/v1/teams/{team}/quotas"

Bound = Annotated[float, Field(ge=0, le=1e15)] | None


class QuotaView(BaseModel):
    """One bound. ``used`` is None while nobody can tell; ``unit`` is empty for what is counted,
    else ``bytes``, ``cores`` or ``minutes``. Minutes count from midnight or the first, in UTC.
    ``default`` is what a team may have of it unless an administrator said otherwise.
    """

    name: str
    limit: float
    default: float
    used: float | None
    unit: str
    is_default: bool


class QuotasView(BaseModel):
    """Every bound of a team."""

    team: str
    name: str
    quotas: list[QuotaView]


class QuotasChange(Strict):
    """Other bounds; what is left out stays, and null is the default again.

    An instance without a CPU limit counts as one core.
    """

    apps: Bound = None
    environments: Bound = None
    instances: Bound = None
    memory: Bound = None
    cpu: Bound = None
    build_minutes_day: Bound = None
    build_minutes_month: Bound = None
    disk: Bound = None
