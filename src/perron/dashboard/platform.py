"""The platform itself: its version and machine, what keeps apps apart, and who is here."""

from perron.client import Refused, verbs
from perron.client.client import Json

from .asking import Ask, Page, Shown
from .navigation import me

STANDINGS = {
    "enforced": ("pass", "Enforced"),
    "watched": ("waived", "Watched"),
    "open": ("fail", "Open"),
    "unknown": ("not-assessed", "Unknown"),
}


def show_platform(ask: Ask) -> Shown:
    """Show how the platform is; administrators see who is on it, too."""
    return Shown("platform.html", {
        "platform": verbs.platform(ask.client),
        "promises": _asked(ask, "/v1/platform/promises"),
        "people": list(ask.client.pages("/v1/people")) if me(ask)["administrator"] else None,
        "teams": list(ask.client.pages("/v1/teams")),
        "standings": STANDINGS,
        "live": False,
    })  # fmt: skip


def _asked(ask: Ask, path: str) -> Json | None:
    try:
        return dict(ask.client.get(path))
    except Refused as refused:
        if refused.status not in (403, 404, 503):
            raise
        return None


ALL = (Page("/platform", show_platform),)
