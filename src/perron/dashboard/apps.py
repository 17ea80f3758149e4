"""The start page: your apps at a glance, what needs somebody first; and a new app."""

from typing import Any

from perron.client import verbs
from perron.client.client import Json

from . import navigation
from .asking import Act, Ask, Done, Page, Shown, with_query

GROUPS = {"failed": "Needs you", "degraded": "Needs you", "unknown": "Needs you",
          "healthy": "Running", "deploying": "Running"}  # fmt: skip
REST = "Stopped"


def show_apps(ask: Ask) -> Shown:
    """Show the apps of whoever is signed in, a hundred at a time."""
    match, after = ask.query.get("q", "").strip()[:100], ask.query.get("after")
    asked = {"environment": ask.environment, "match": match, "after": after, "limit": 100}
    found = ask.client.get("/v1/overview", {k: v for k, v in asked.items() if v})
    if not found["totals"]["apps"] and not found["environments"]:
        return Shown("empty.html", _first_steps(ask) | {"live": True})
    return Shown("apps.html", {
        "groups": _grouped([_row(app, ask.environment) for app in found["items"]]),
        "counts": {} if match else _counts(found["totals"]),
        "totals": found["totals"],
        "matched": found["matched"],
        "environments": found["environments"],
        "environment": ask.environment,
        "match": match,
        "is_first": not after,
        "older": with_query("/", env=ask.environment, q=match, after=found["next"] or ""),
        "next": found["next"],
        "teams": _teams(ask),
        "shows_teams": len({app["team"] for app in found["items"]}) > 1,
        "live": True,
    })  # fmt: skip


def create_app(ask: Ask) -> Done:
    """Make an app; its page says how to deploy to it."""
    made = verbs.create_app(ask.client, ask.said("name"), ask.said("team") or None)
    return Done(f"/apps/{made['name']}", f"Created {made['name']}.")


def _row(app: Json, environment: str) -> dict[str, Any]:
    """Return an app with the environment that is shown of it."""
    place = next((e for e in app["environments"] if e["name"] == environment), None)
    return {"app": app, "env": place or app["environments"][0]}


def _grouped(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Put the rows under what they have in common; the groups keep their order."""
    groups: dict[str, list[dict[str, Any]]] = {"Needs you": [], "Running": [], REST: []}
    for row in rows:
        groups[GROUPS.get(row["env"]["state"], REST)].append(row)
    return [(title, found) for title, found in groups.items() if found]


def _counts(totals: Json) -> dict[str, int]:
    """Return how many apps each group has, whatever page is shown."""
    return {"Needs you": totals["needs"], "Running": totals["running"], REST: totals["stopped"]}


def _teams(ask: Ask) -> list[str]:
    """Return the teams in which an app can be made."""
    roles = navigation.me(ask)["teams"]
    return sorted(name for name, role in roles.items() if role in ("owner", "developer"))


def _first_steps(ask: Ask) -> dict[str, Any]:
    """Return what the page shows before there is any app."""
    return {"teams": _teams(ask), "now_platform": verbs.platform(ask.client)}


ALL: tuple[Page | Act, ...] = (
    Page("/", show_apps),
    Act("/apps", create_app, show_apps),
)
