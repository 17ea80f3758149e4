"""The shapes of what happened to an app."""

from datetime import datetime

from pydantic import BaseModel

ACTIVITY = "/v1/apps/{app}/activity"


class ActivityView(BaseModel):
    """One thing that happened: ``by_name`` did what ``text`` says.

    ``by_name`` is empty when nobody did it. ``release`` is the release it is about, and
    ``environment`` the name of the place; None where the whole app is meant, or it is gone.
    """

    id: str
    type: str
    time: datetime
    by: str
    by_name: str
    environment: str | None
    release: int | None
    operation: str | None
    text: str
