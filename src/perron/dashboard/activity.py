"""What happened to an app, newest first, in words."""

from itertools import groupby

from perron.client.client import Json

from .asking import Ask, Page, Shown
from .navigation import app_facts, app_url
from .words import Clock, moment

SHOWN = 100
ALIKE = ("text", "by", "environment")
BAD = ("perron.release.failed.v1", "perron.instance.crashed.v1", "perron.instance.out_of_memory.v1")


def show_activity(ask: Ask) -> Shown:
    """Show what happened in this environment, or in all of them."""
    facts = app_facts(ask, "Activity")
    everywhere = ask.query.get("all") == "1"
    page = ask.client.get(f"/v1/apps/{facts['app']['id']}/activity", {
        "environment": None if everywhere else facts["environment"]["name"],
        "after": ask.query.get("after"),
        "limit": SHOWN,
    })  # fmt: skip
    older = page["next"] and app_url(
        ask, "/activity", after=page["next"], all="1" if everywhere else None
    )
    return Shown("activity.html", facts | {
        "days": by_day(ask.clock, page["items"]),
        "everywhere": everywhere,
        "older": older,
        "is_newest": not ask.query.get("after"),
        "bad": BAD,
        "live": not ask.query.get("after"),
    })  # fmt: skip


def by_day(clock: Clock, happened: list[Json]) -> list[tuple[str, list[Json]]]:
    """Return what happened, a list for each day of the reader's calendar."""
    days = groupby(happened, lambda each: clock.day(moment(each["time"])))
    return [(day, _folded(list(each))) for day, each in days]


def _folded(happened: list[Json]) -> list[Json]:
    """Say once what happened several times in a row, with how often."""
    folded: list[Json] = []
    for each in happened:
        last = folded[-1] if folded else None
        if last and all(last[field] == each[field] for field in ALIKE):
            last["times"] += 1
        else:
            folded.append({**each, "times": 1})
    return folded


ALL = (Page("/apps/{app}/activity", show_activity),)
