"""What an app is called, where it runs, and its end."""

from urllib.parse import quote

from perron.client import Place, Refused, verbs
from perron.client.client import Json

from . import editions
from .asking import Act, Ask, Done, Page, Shown, with_query
from .navigation import app_facts, app_url


def show_settings(ask: Ask) -> Shown:
    """Show the app's environments and its name, with what can be done to them."""
    facts = app_facts(ask, "Settings")
    tag = editions.read(ask.client, f"/v1/apps/{quote(ask.app, safe='')}").tag
    offered = _offered(ask)
    return Shown(
        "settings.html", facts | {"tag": tag, "transfer": offered, "live": not ask.refused}
    )


def create_environment(ask: Ask) -> Done:
    """Give the app another place to run."""
    name = ask.said("name")
    verbs.create_environment(ask.client, Place(ask.app, name or "."))
    return Done(app_url(ask, "/settings"), f"{name} is there; nothing runs in it yet.")


def destroy_environment(ask: Ask) -> Done:
    """Destroy an environment and all it has; its name was typed."""
    name = ask.said("environment")
    ask.must_mean(name, "Nothing was destroyed.")
    verbs.destroy_environment(ask.client, Place(ask.app, name))
    return Done(
        with_query(f"/apps/{quote(ask.app, safe='')}/settings"), f"{name} is being destroyed."
    )


def rename(ask: Ask) -> Done:
    """Call the app something else."""
    to = ask.said("name")
    path = f"/v1/apps/{quote(ask.app, safe='')}"
    editions.change(ask.client, "PATCH", path, {"name": to}, ask.said("tag"))
    return Done(f"/apps/{quote(to, safe='')}/settings", f"It is called {to} now.")


def transfer(ask: Ask) -> Done:
    """Offer the app to another team, or withdraw the offer."""
    path = f"/v1/apps/{quote(ask.app, safe='')}/transfer"
    here = f"/apps/{quote(ask.app, safe='')}/settings"
    if ask.said("off"):
        ask.client.send("DELETE", path)
        return Done(here, "The offer is withdrawn.")
    found = ask.client.send("POST", path, {"team": ask.said("team")})
    said = "belongs to" if found["state"] == "accepted" else "was offered to"
    return Done(here, f"{ask.app} {said} {found['team']}.")


def destroy(ask: Ask) -> Done:
    """Destroy the app and all it has; its name was typed."""
    ask.must_mean(ask.app, "Nothing was destroyed.")
    verbs.destroy_app(ask.client, ask.app)
    return Done("/", f"{ask.app} is being destroyed.")


def _offered(ask: Ask) -> Json | None:
    """Return the offer that waits, when there is one and it is ours to see."""
    try:
        return dict(ask.client.get(f"/v1/apps/{quote(ask.app, safe='')}/transfer"))
    except Refused as refused:
        if refused.status not in (403, 404):
            raise
        return None


ALL = (
    Page("/apps/{app}/settings", show_settings),
    Act("/apps/{app}/settings/environments", create_environment, show_settings),
    Act("/apps/{app}/settings/environments/destroy", destroy_environment, show_settings),
    Act("/apps/{app}/settings/rename", rename, show_settings),
    Act("/apps/{app}/settings/transfer", transfer, show_settings),
    Act("/apps/{app}/settings/destroy", destroy, show_settings),
)
