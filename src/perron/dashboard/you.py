"""You: your name and password, the browsers you are signed in with, and your tokens."""

from urllib.parse import quote

from perron.client.client import Json

from .asking import Act, Ask, Done, Page, Shown
from .navigation import me

HERE = "/you"


def show_you(ask: Ask) -> Shown:
    """Show who you are to the platform, and every way in that you have."""
    return Shown("you.html", {
        "you": me(ask),
        "sessions": list(ask.client.pages("/v1/sessions")),
        "tokens": [each for each in ask.client.pages("/v1/tokens") if not each["revoked"]],
        "apps": [each["name"] for each in ask.client.get("/v1/apps", {"limit": 100})["items"]],
        "made": None,
        "live": False,
    })  # fmt: skip


def change_name(ask: Ask) -> Done:
    """Say what you are called, and where mail reaches you."""
    change = {"name": ask.said("name"), "email": ask.said("email")}
    ask.client.send("PATCH", "/v1/me", change)
    return Done(HERE, "Saved.")


def change_password(ask: Ask) -> Done:
    """Set a password; every other session ends."""
    change: Json = {"password": str(ask.form.get("password", ""))}
    if old := str(ask.form.get("old_password", "")):
        change["old_password"] = old
    ask.client.send("PATCH", "/v1/me", change)
    return Done(HERE, "The password is changed; your other sessions ended.")


def end_session(ask: Ask) -> Done:
    """Sign out one of your other browsers."""
    ask.client.send("DELETE", f"/v1/sessions/{quote(ask.said('session'), safe='')}")
    return Done(HERE, "That browser is signed out.")


def make_token(ask: Ask) -> Shown:
    """Make a token; its text is on the answer alone."""
    days = ask.said("expires_in", "90")
    wanted: Json = {"name": ask.said("name"), "expires_in": int(days) if days.isdigit() else days}
    if app := ask.said("app"):
        wanted |= {"app": app, "role": ask.said("role", "developer")}
    made = ask.client.send("POST", "/v1/tokens", wanted)
    shown = show_you(ask)
    return Shown(shown.template, {**shown.facts, "made": made})


def revoke_token(ask: Ask) -> Done:
    """Let a token open nothing any more."""
    ask.client.send("DELETE", f"/v1/tokens/{quote(ask.said('token'), safe='')}")
    return Done(HERE, "The token is revoked.")


ALL = (
    Page(HERE, show_you),
    Act("/you/name", change_name, show_you),
    Act("/you/password", change_password, show_you),
    Act("/you/sessions/end", end_session, show_you),
    Act("/you/tokens", make_token, show_you),
    Act("/you/tokens/revoke", revoke_token, show_you),
)
