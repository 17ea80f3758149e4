"""The start page: your apps at a glance."""

from .asking import Ask, Page, Shown
from .navigation import app_facts


def show_apps(ask: Ask) -> Shown:
    """Show the apps of whoever is signed in."""
    page = ask.client.get("/v1/apps", {"limit": 100, "after": ask.query.get("after")})
    return Shown("apps.html", {"apps": page["items"], "next": page["next"], "live": True})


def show_app(ask: Ask) -> Shown:
    """Show one app."""
    return Shown("app.html", app_facts(ask, "Overview") | {"live": True})


ALL = (Page("/", show_apps), Page("/apps/{app}", show_app))
