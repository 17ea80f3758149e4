"""The platform itself: what needs somebody, its machine, what it does now and by the clock."""

from collections.abc import Mapping, Sequence
from typing import Any

from perron.client import Refused, examining, schedules, verbs
from perron.client.client import Json

from . import words
from .asking import Act, Ask, Done, Page, Shown
from .navigation import me
from .schedules import with_sign

STANDINGS: Mapping[str, tuple[str, str]] = {
    "enforced": ("pass", "Enforced"),
    "watched": ("waived", "Watched"),
    "open": ("fail", "Open"),
    "unknown": ("not-assessed", "Unknown"),
}
FINDINGS: Mapping[str, tuple[str, str]] = {
    "failed": ("failed", "Failed"),
    "degraded": ("degraded", "Degraded"),
    "unknown": ("unknown", "Unknown"),
    "ok": ("healthy", "Fine"),
}
GROUPS: Mapping[str, str] = {
    "failed": "Needs you",
    "degraded": "Could be better",
    "unknown": "Unknown",
    "ok": "Fine",
}
WORKS: Mapping[str, str] = {
    "releases.deploy": "Deploy",
    "releases.restart": "Restart",
    "releases.scale": "Scale",
    "releases.start": "Start",
    "releases.stop": "Stop",
    "releases.destroy": "End of an environment",
}
STALE = 3 * 3600  # seconds: a backup is made each hour


def show_platform(ask: Ask) -> Shown:
    """Show how the platform is; administrators see what needs them, and what it does."""
    facts = {
        "platform": verbs.platform(ask.client),
        "promises": _asked(ask, "/v1/platform/promises"),
        "standings": STANDINGS,
        "is_administrator": bool(me(ask)["administrator"]),
        "live": not ask.refused,
    }
    return Shown("platform.html", facts | (_examined(ask) if facts["is_administrator"] else {}))


def run_chore(ask: Ask) -> Done:
    """Have the platform do now what it does by the clock."""
    name = ask.said("name")
    schedules.run(ask.client, None, name)
    return Done("/platform", f"The platform's {name} runs now.")


def in_order(findings: Sequence[Json]) -> list[Json]:
    """Return findings with their signs, what needs somebody first."""
    ranks = list(FINDINGS)
    signed = [dict(each, sign=FINDINGS[each["state"]]) for each in findings]
    return sorted(signed, key=lambda each: ranks.index(each["state"]))


def _grouped(found: Sequence[Json]) -> list[tuple[str, list[Json]]]:
    """Put findings under what they mean for whoever looks; groups without any are left out."""
    by_title: dict[str, list[Json]] = {}
    for each in found:
        by_title.setdefault(GROUPS[each["state"]], []).append(each)
    return list(by_title.items())


def _examined(ask: Ask) -> dict[str, Any]:
    doctor = examining.doctor(ask.client)
    found = in_order(doctor["findings"])
    return {
        "doctor": doctor,
        "found": _grouped(found),
        "gaps": sum(each["state"] == "failed" for each in found),
        "looked_at": len(found),
        "disk": _drawn(doctor["disk"]),
        "backup": _freshness(ask, doctor["backups"]["newest"]),
        "works": [_named(each) for each in examining.work(ask.client)],
        "chores": [_with_last(each) for each in schedules.schedules(ask.client, None)],
        "teams": len(list(ask.client.pages("/v1/teams"))),
        "people": len(list(ask.client.pages("/v1/people"))),
    }


def _drawn(disk: Json) -> Json:
    parts = disk["parts"]
    ours = None if parts is None else sum(each["bytes"] for each in parts)
    return {**disk, "ours": ours, "share": 100 * (1 - disk["free"] / max(1, disk["total"]))}


def _freshness(ask: Ask, newest: str | None) -> dict[str, str]:
    """Say how old the newest backup is, and what that is worth."""
    if newest is None:
        return {"state": "unknown", "age": "Unknown"}
    seconds = (ask.clock.now - words.moment(newest)).total_seconds()
    return {"state": "degraded" if seconds > STALE else "healthy", "age": words.length(seconds)}


def _named(work: Json) -> Json:
    return {**work, "called": WORKS.get(work["work"], words.sentence(work["work"]))}


def _with_last(chore: Json) -> Json:
    last = chore["last"]
    return {**chore, "last": with_sign(last) if last else None}


def _asked(ask: Ask, path: str) -> Json | None:
    try:
        return dict(ask.client.get(path))
    except Refused as refused:
        if refused.status not in (403, 404, 503):
            raise
        return None


ALL: tuple[Page | Act, ...] = (
    Page("/platform", show_platform),
    Act("/platform/chores", run_chore, show_platform),
)
