"""Signing in and out: by password, by token, by a link that is good once."""

from contextlib import suppress
from urllib.parse import quote, urlsplit

from perron.client import Refused
from perron.client.client import Json
from perron.contract import browsers, people

from . import cookies
from .asking import Act, Ask, Done, Page, Shown


def show_login(ask: Ask) -> Shown | Done:
    """Show the form that signs somebody in."""
    return Shown("gate-login.html", {"to": _inside(ask.query.get("to", ""))})


def login(ask: Ask) -> Shown | Done:
    """Sign somebody in, with a password or with a token."""
    token = ask.said("token")
    try:
        made = _of_token(ask, token) if token else _of_password(ask)
    except Refused as refused:
        facts = {"to": _inside(ask.said("to")), "refused": refused}
        return Shown("gate-login.html", facts, refused.status)
    return Done(_inside(ask.said("to")) or "/", cookies=cookies.of_session(made, ask.scheme))


def logout(ask: Ask) -> Done:
    """Sign out: the session ends on the platform, and the browser forgets it."""
    with suppress(Refused):  # it ended by itself already
        ask.client.send("DELETE", "/v1/sessions/current")
    return Done("/login", cookies=(browsers.no_cookie(ask.scheme),))


def _of_password(ask: Ask) -> Json:
    said = {"person": ask.said("person"), "password": str(ask.form.get("password", ""))}
    return dict(ask.client.send("POST", people.SESSIONS, said | {"device": ask.device}))


def _of_token(ask: Ask, token: str) -> Json:
    """Open a session for whom the token belongs to; revoking the token ends it."""
    return dict(ask.client.send("POST", people.SESSIONS, {"token": token}))


def _inside(to: str) -> str:
    """Return a path of ours; nothing for anywhere else."""
    parts = urlsplit(to)
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc
    return quote(to, safe="/?=&%-._~:,+") if is_ours else ""


ALL = (
    Page("/login", show_login, is_open=True),
    Act("/login", login, is_open=True),
    Act("/logout", logout, is_open=True),
)
