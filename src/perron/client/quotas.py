"""What quotas can be asked, one function for each verb."""

from collections.abc import Mapping
from urllib.parse import quote

from .client import Client, Json


def show(client: Client, team: str) -> Json:
    """Give what a team may have, and how much of it is used."""
    return dict(client.get(_path(team)))


def change(client: Client, team: str, bounds: Mapping[str, float | None]) -> Json:
    """Give a team other bounds; None is the default again."""
    return dict(client.send("PATCH", _path(team), dict(bounds)))


def _path(team: str) -> str:
    return f"/v1/teams/{quote(team, safe='')}/quotas"
