"""An app at a glance: what moves, how it is, what it lost, what happened."""

from datetime import timedelta
from typing import Any

from perron.client import Fault, Refused, verbs
from perron.client.client import Json

from . import instances as rooms
from . import releases, words
from .asking import Ask, Page, Shown
from .navigation import app_facts
from .rollouts import Ride

RECENT = 6
NEWS = timedelta(minutes=2)  # how long the line of a rollout is shown after its end


def show_app(ask: Ask) -> Shown:
    """Show one app in one environment."""
    facts = app_facts(ask, "Overview")
    recent = [releases.as_row(each) for each in _recent(ask)]
    newest = recent[0] if recent else None
    ride = _ride(ask, newest)
    return Shown("overview.html", facts | {
        "recent": recent,
        "newest": newest,
        "ride": ride,
        "is_news": _is_news(ask, ride),
        "live_release": next((each for each in recent if each["state"] == "live"), None),
        "instances": _instances(ask, facts["environment"]["deploying"]),
        "scale": _scale(ask),
        "activity": _activity(ask),
        "live": True,
    })  # fmt: skip


def _recent(ask: Ask) -> list[Json]:
    page = ask.client.get(f"{ask.place.path}/releases", {"limit": RECENT})
    return list(page["items"])


def _ride(ask: Ask, newest: dict[str, Any] | None) -> Any:
    """Return how the newest release goes: while it moves, a little longer, or if it failed."""
    if newest is None or newest["state"] not in (releases.MOVING, "failed", "live"):
        return None
    ride = releases.ride_of(ask, newest["operation"])
    is_told = ride and (ride.is_moving or newest["state"] == "failed" or _is_news(ask, ride))
    return ride if is_told else None


def _is_news(ask: Ask, ride: Ride | None) -> bool:
    """Say whether something ended so lately that who looks wants to see how."""
    if ride is None or ride.is_moving or ride.finished is None:
        return False
    return ask.clock.now - words.moment(ride.finished) < NEWS


def _instances(ask: Ask, coming: int | None) -> list[Json] | None:
    """Return the instances; None when nothing was heard from the machine."""
    try:
        return [rooms.with_sign(e, coming) for e in verbs.instances(ask.client, ask.place)]
    except Refused as refused:
        if refused.status != 503:
            raise
        return None


def _scale(ask: Ask) -> dict[str, int]:
    return dict(verbs.scale(ask.client, ask.place)["processes"])


def _activity(ask: Ask) -> list[Json]:
    """Return the last things that happened here; none when they cannot be had."""
    path = f"/v1/apps/{ask.app}/activity"
    try:
        asked = {"environment": ask.environment, "limit": RECENT}
        return list(ask.client.get(path, asked)["items"])
    except Fault:
        return []


ALL = (Page("/apps/{app}", show_app),)
