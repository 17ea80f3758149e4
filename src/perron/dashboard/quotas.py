"""What a team may have: administrators set it, each bound beside what is used of it."""

from typing import Any
from urllib.parse import quote

from perron.client import Refused
from perron.client.client import Json

from . import editions, words
from .asking import Act, Ask, Done, Page, Shown

NAMES = {
    "cpu": "CPU",
    "build_minutes_day": "Building, today",
    "build_minutes_month": "Building, this month",
}


def show_quotas(ask: Ask) -> Shown:
    """Show every bound of a team in a field, with what is used and what is usual."""
    edition = editions.read(ask.client, _path(ask))
    rows = [_row(ask, each) for each in edition.facts["quotas"]]
    return Shown("quotas.html", {
        "team": edition.facts["name"],
        "rows": rows,
        "tag": edition.tag,
        "live": False,
    })  # fmt: skip


def change_quotas(ask: Ask) -> Done:
    """Set the bounds that were typed anew; an empty field is the usual one again."""
    before = editions.read(ask.client, _path(ask)).facts["quotas"]
    wanted = {each["name"]: _wanted(ask, each) for each in before if _is_typed(ask, each)}
    changed = editions.change(ask.client, "PATCH", _path(ask), wanted, ask.said("tag"))
    here = f"/teams/{quote(changed['name'], safe='')}"
    count = words.some(len(wanted), "limit")
    return Done(here, f"{count} changed." if wanted else "Nothing was changed.")


def called(quota: Json) -> str:
    """Return what a bound is called on pages."""
    return NAMES.get(quota["name"], words.sentence(quota["name"]))


def share(quota: Json) -> float | None:
    """Return how much of a bound is used, as a percentage; None when that says nothing."""
    if quota["used"] is None or not quota["limit"]:
        return None
    return min(100.0, 100 * float(quota["used"]) / float(quota["limit"]))


def _row(ask: Ask, quota: Json) -> dict[str, Any]:
    now = words.amount(quota["limit"], quota["unit"])
    typed = ask.said(quota["name"]) if ask.refused else now
    was_changed = ask.refused is not None and ask.refused.status == editions.CHANGED
    named = ask.refused is not None and ask.refused.facts.get("field") == quota["name"]
    error = ask.refused.detail if ask.refused and named else ""
    if was_changed and typed != now:
        error = f"It is {now} now."
    return {**quota, "called": called(quota), "share": share(quota), "typed": typed, "error": error}


def _is_typed(ask: Ask, quota: Json) -> bool:
    """Say whether a field holds something else than it was drawn with."""
    said = ask.said(quota["name"])
    if said == "":
        return not quota["is_default"]
    return said != words.amount(quota["limit"], quota["unit"])


def _wanted(ask: Ask, quota: Json) -> float | None:
    said = ask.said(quota["name"])
    found = words.amount_in(said, quota["unit"]) if said else None
    if said and found is None:
        example = words.amount(quota["default"], quota["unit"])
        detail = f"{said[:30]!r} is no such amount; write it like this: {example}."
        raise Refused(422, {"title": "That cannot be read", "detail": detail,
                            "field": quota["name"]})  # fmt: skip
    return found


def _path(ask: Ask) -> str:
    return f"/v1/teams/{quote(ask.at['team'], safe='')}/quotas"


ALL = (
    Page("/teams/{team}/quotas", show_quotas),
    Act("/teams/{team}/quotas", change_quotas, show_quotas),
)
