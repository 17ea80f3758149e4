"""Pages behind links that are good once: sign-in links, invitations, resets, and command lines."""

from typing import Any
from urllib.parse import quote

from perron.client import Refused
from perron.client.client import Json
from perron.contract import people, teams

from . import cookies
from .asking import Act, Ask, Done, Page, Shown


def show_link(ask: Ask) -> Shown:
    """Ask once more before a link is used up, so that nobody who only looks at it uses it."""
    return Shown("gate-link.html")


def use_link(ask: Ask) -> Done:
    """Sign in with a link."""
    made = ask.client.send("POST", people.SESSIONS, {"link": ask.at["code"]})
    return Done("/", cookies=cookies.of_session(made, ask.scheme))


def show_cli(ask: Ask) -> Shown:
    """Show which command line asks to be let in."""
    asks: Json = ask.client.get(people.LOGIN.format(code=_code(ask)))
    return Shown("gate-cli.html", {"asks": asks})


def approve_cli(ask: Ask) -> Shown:
    """Let a command line in."""
    asks: Json = ask.client.send("POST", people.LOGIN_APPROVE.format(code=_code(ask)))
    return Shown("gate-cli.html", {"asks": {**asks, "state": "approved"}})


def show_invitation(ask: Ask) -> Shown:
    """Show what an invitation offers, and the form that accepts it."""
    offer: Json = ask.client.get(teams.INVITATION.format(code=_code(ask)))
    return Shown("gate-invite.html", {"offer": offer, "signed_in": _name(ask)})


def accept_invitation(ask: Ask) -> Done:
    """Join the team, with the account that is signed in or with a new one."""
    path = teams.INVITATION_ACCEPT.format(code=_code(ask))
    if ask.session.secret:
        joined: Json = ask.client.send("POST", path, {})
        return Done("/", f"You are in {joined['team']} now.")
    joined = ask.client.send("POST", path, _account(ask))
    made = joined["session"]
    return Done("/", cookies=cookies.of_session(made, ask.scheme))


def show_reset(ask: Ask) -> Shown:
    """Show the form that sets a new password."""
    return Shown("gate-reset.html", {"whose": ask.client.get(people.RESET.format(code=_code(ask)))})


def reset(ask: Ask) -> Done:
    """Set a new password; everybody who was signed in as this person is signed out."""
    path = people.RESET.format(code=_code(ask))
    ask.client.send("POST", path, {"password": str(ask.form.get("password", ""))})
    return Done("/login", "Your password is set. Sign in with it.")


def _account(ask: Ask) -> dict[str, Any]:
    return {
        "handle": ask.said("handle"),
        "name": ask.said("name"),
        "password": str(ask.form.get("password", "")),
    }


def _name(ask: Ask) -> str:
    """Return who is signed in; empty when nobody is."""
    if not ask.session.secret:
        return ""
    me: Json = ask.client.get(people.ME)
    return str(me["handle"])


def _code(ask: Ask) -> str:
    code = ask.at["code"]
    if len(code) > 200:
        raise Refused(404, {"title": "No such link", "detail": "That link leads nowhere."})
    return quote(code, safe="")


ALL: tuple[Page | Act, ...] = (
    Page(people.LOGIN_PAGE, show_link, is_open=True),
    Act(people.LOGIN_PAGE, use_link, is_open=True),
    Page(people.APPROVAL_PAGE, show_cli),
    Act(people.APPROVAL_PAGE, approve_cli, show_cli),
    Page(teams.INVITATION_PAGE, show_invitation, is_open=True),
    Act(teams.INVITATION_PAGE, accept_invitation, show_invitation, is_open=True),
    Page(people.RESET_PAGE, show_reset, is_open=True),
    Act(people.RESET_PAGE, reset, show_reset, is_open=True),
)
