"""The audit trail: who did what, when and from where; and whether it is as it was written."""

from .asking import Act, Ask, Page, Shown, with_query
from .navigation import me

FILTERS = ("app", "team", "actor", "type", "since")
SHOWN = 100


def show_audit(ask: Ask) -> Shown:
    """Show what happened, newest first."""
    wanted = {name: ask.query.get(name, "").strip() for name in FILTERS}
    after = ask.query.get("after")
    query = {**{k: v or None for k, v in wanted.items()}, "after": after, "limit": SHOWN}
    page = ask.client.get("/v1/audit", query)
    is_administrator = bool(me(ask)["administrator"])
    return Shown("audit.html", {
        "entries": page["items"],
        "wanted": wanted,
        "older": page["next"] and with_query("/audit", **wanted, after=page["next"]),
        "is_newest": not after,
        "is_administrator": is_administrator,
        "chain": ask.client.get("/v1/audit/head") if is_administrator else None,
        "verdict": None,
        "live": False,
    })  # fmt: skip


def verify(ask: Ask) -> Shown:
    """Look at every event and its place in the chain."""
    verdict = ask.client.send("POST", "/v1/audit/verify", {})
    shown = show_audit(ask)
    return Shown(shown.template, {**shown.facts, "verdict": verdict})


ALL = (Page("/audit", show_audit), Act("/audit/verify", verify, show_audit))
