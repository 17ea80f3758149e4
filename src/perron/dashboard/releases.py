"""The releases of an environment: all of them, one, what differs, and going back."""

from typing import Any

from perron.client import Fault, Refused, verbs
from perron.client.client import Json

from . import changes, rollouts
from .asking import Act, Ask, Done, Page, Shown
from .navigation import app_facts, app_url

PAGE = 50
MOVING = "asked"


def show_releases(ask: Ask) -> Shown:
    """Show the releases, newest first, and what the newest one changed."""
    facts = app_facts(ask, "Releases")
    found = ask.client.get(
        f"{ask.place.path}/releases", _given({"limit": PAGE, "after": ask.query.get("after")})
    )
    rows = [as_row(each) for each in found["items"]]
    return Shown("releases.html", facts | {
        "releases": rows,
        "next": found["next"],
        "older": app_url(ask, "/releases", after=found["next"]),
        "is_first": not ask.query.get("after"),
        "back": _back(ask, rows, facts["environment"]),
        "live": True,
    })  # fmt: skip


def show_release(ask: Ask) -> Shown:
    """Show one release: how it went live, what it is made of, what it changed."""
    facts = app_facts(ask, "Releases")
    number = _number(ask.at["number"])
    found = as_row(verbs.release(ask.client, ask.place, number))
    against = _against(ask, number, facts["environment"])
    return Shown("release.html", facts | {
        "release": found,
        "ride": ride_of(ask, found["operation"]),
        "against": against,
        "choices": _choices(ask, number, against),
        "differences": _differences(ask, against, number),
        "back": _back_to(ask, found, facts["environment"]),
        "live": True,
    })  # fmt: skip


def roll_back(ask: Ask) -> Done:
    """Go back to a release; its page follows how that goes."""
    made = verbs.roll_back(ask.client, ask.place, _number(ask.said("to")))
    return Done(app_url(ask, f"/releases/{made['number']}"), f"Rolling back to {ask.said('to')}.")


def cancel(ask: Ask) -> Done:
    """Stop what is on its way; what is live goes on."""
    verbs.act(ask.client, ask.place, "cancel")
    return Done(app_url(ask, ""), "Cancelled. What was live goes on.")


def as_row(release: Json) -> dict[str, Any]:
    """Return a release with what it changed and lost, in words."""
    lost = release.get("lost")
    return {
        **release,
        "change": changes.change(release),
        "lost_sum": None if lost is None else sum(lost.values()),
    }


def ride_of(ask: Ask, operation: str) -> rollouts.Ride | None:
    """Return how an operation goes; None when the platform keeps it no longer."""
    try:
        return rollouts.ride(verbs.operation(ask.client, operation)["operation"])
    except Refused as refused:
        if refused.status != 404:
            raise
        return None


def _back(ask: Ask, rows: list[dict[str, Any]], environment: Json) -> dict[str, Any] | None:
    """Return what going back to the release before would change; None when there is none."""
    before = next((each for each in rows if each["state"] == "replaced"), None)
    return _back_to(ask, before, environment) if before else None


def _back_to(ask: Ask, release: dict[str, Any], environment: Json) -> dict[str, Any] | None:
    """Return what going back to a release would change; None when it cannot be gone back to."""
    now = environment["release"]
    if now is None or release["state"] != "replaced" or environment["deploying"]:
        return None
    try:
        diff = verbs.diff(ask.client, ask.place, now["number"], release["number"], rollback=True)
    except Fault as why:
        return {"from": now["number"], "to": release, "differences": None, "why": str(why)}
    return {
        "from": now["number"],
        "to": release,
        "differences": changes.differences(diff, is_back=True),
    }


def _against(ask: Ask, number: int, environment: Json) -> int | None:
    """Return the release a page compares with: the one asked for, else the one before."""
    if wanted := ask.query.get("with"):
        return _number(wanted)
    return number - 1 if number > 1 else None


def _choices(ask: Ask, number: int, against: int | None) -> list[int]:
    """Return a few releases to compare with, the nearest first."""
    near = [each for each in range(number - 1, max(0, number - 4), -1)]
    return near if against is None or against in near else [*near, against]


def _differences(ask: Ask, before: int | None, after: int) -> list[changes.Difference] | None:
    """Return what differs; None when the other release is not kept any more."""
    if before is None or before == after:
        return []
    try:
        return changes.differences(verbs.diff(ask.client, ask.place, before, after))
    except Refused as refused:
        if refused.status not in (404, 409):
            raise
        return None


def _number(text: str) -> int:
    """Return a release's number; what is none is refused as one that does not exist."""
    if text.isascii() and text.isdigit() and 0 < len(text) < 10:
        return int(text)
    raise Refused(404, {"title": "No such release", "detail": f"{text[:40]} is no release."})


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value}


ALL: tuple[Page | Act, ...] = (
    Page("/apps/{app}/releases", show_releases),
    Page("/apps/{app}/releases/{number}", show_release),
    Act("/apps/{app}/rollback", roll_back, show_releases),
    Act("/apps/{app}/cancel", cancel, show_releases),
)
