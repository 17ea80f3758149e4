"""What schedules can be asked, one function for each verb."""

from collections.abc import Iterator
from urllib.parse import quote

from .client import Client, Json, Place


def schedules(client: Client, place: Place | None) -> Iterator[Json]:
    """Give what runs by the clock in an environment; None is the platform itself."""
    return client.pages(_path(place))


def add(client: Client, place: Place, request: Json) -> Json:
    """Have a command run by the clock."""
    return dict(client.send("POST", _path(place), request))


def change(client: Client, place: Place, name: str, told: Json) -> Json:
    """Change a schedule, or switch it on and off."""
    return dict(client.send("PATCH", _path(place, name), told))


def remove(client: Client, place: Place, name: str) -> None:
    """Have a command run by the clock no more."""
    client.send("DELETE", _path(place, name))


def run(client: Client, place: Place | None, name: str) -> Json:
    """Run a schedule's command now."""
    return dict(client.send("POST", f"{_path(place, name)}/runs"))


def runs(client: Client, place: Place | None, name: str, *, limit: int = 50) -> Iterator[Json]:
    """Give what became of each time, newest first."""
    return client.pages(f"{_path(place, name)}/runs", {"limit": min(limit, 500)})


def _path(place: Place | None, name: str | None = None) -> str:
    base = f"{place.path if place else '/v1/platform'}/schedules"
    return base if name is None else f"{base}/{quote(name, safe='')}"
