"""Signing in and out: by password, by token, by a link that is good once."""

from contextlib import suppress
from urllib.parse import quote, urlsplit

from perron.client import Client, Refused, verbs
from perron.contract import browsers

from .asking import Act, Ask, Done, Page, Shown


def show_login(ask: Ask) -> Shown | Done:
    """Show the form that signs somebody in."""
    return Shown("gate-login.html", {"to": _inside(ask.query.get("to", ""))})


def login(ask: Ask) -> Shown | Done:
    """Sign somebody in, with a password or with a token."""
    token = ask.said("token")
    try:
        secret = _of_token(ask, token) if token else _of_password(ask)
    except Refused as refused:
        facts = {"to": _inside(ask.said("to")), "refused": refused}
        return Shown("gate-login.html", facts, refused.status)
    return Done(_inside(ask.said("to")) or "/", cookies=(browsers.cookie(secret, ask.scheme),))


def logout(ask: Ask) -> Done:
    """Sign out: the session ends on the platform, and the browser forgets it."""
    with suppress(Refused):  # a token that was used to sign in stays what it is
        ask.client.send("DELETE", "/v1/sessions/current")
    return Done("/login", cookies=(browsers.no_cookie(ask.scheme),))


def _of_password(ask: Ask) -> str:
    said = {"person": ask.said("person"), "password": str(ask.form.get("password", ""))}
    return str(ask.client.send("POST", "/v1/sessions", said)["secret"])


def _of_token(ask: Ask, token: str) -> str:
    """Return the token when the platform knows it."""
    if not token.isascii() or not token.isprintable():
        raise Refused(401, {"title": "Token refused", "detail": "That is no token."})
    client = Client(ask.client.address.url, token)
    try:
        verbs.me(client)
    finally:
        client.close()
    return token


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
