"""The shape of the start page: what needs somebody first, then by name."""

from pydantic import BaseModel

from .apps import AppView

OVERVIEW = "/v1/overview"


class TotalsView(BaseModel):
    """All apps you may see that have the environment, whatever page is shown.

    ``needs`` need somebody, ``running`` do not; ``stopped`` were stopped, are on their way out or
    never ran. ``healthy`` counts instances and is None while any environment is unknown.
    """

    apps: int
    needs: int
    running: int
    stopped: int
    moving: int
    instances: int
    healthy: int | None
    unknown: int


class OverviewView(BaseModel):
    """Some apps in the order of urgency; ``matched`` counts all that were asked for.

    ``environments`` are the names there are, production first.
    """

    items: list[AppView]
    next: str | None
    matched: int
    totals: TotalsView
    environments: list[str]
