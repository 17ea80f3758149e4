"""Teams: who is in them, who was invited, and how much of their quotas they use."""

from urllib.parse import quote

from perron.client import Refused
from perron.client.client import Json

from . import editions, quotas
from .asking import Act, Ask, Done, Page, Shown
from .navigation import me

ROLES = ("viewer", "developer", "owner")


def show_teams(ask: Ask) -> Shown:
    """Show the teams you are in; administrators see all."""
    facts = {"teams": list(ask.client.pages("/v1/teams")), "you": me(ask), "live": False}
    return Shown("teams.html", facts)


def create_team(ask: Ask) -> Done:
    """Make a team."""
    made = ask.client.send("POST", "/v1/teams", {"name": ask.said("name")})
    return Done(f"/teams/{made['name']}", f"{made['name']} is there.")


def show_team(ask: Ask) -> Shown:
    """Show a team: members, invitations, quotas; owners see what they can change."""
    path = _path(ask)
    edition = editions.read(ask.client, path)
    team = edition.facts
    bounds = _bounds(ask)
    is_owner = team["role"] == "owner" or bool(me(ask)["administrator"])
    return Shown("team.html", {
        "team": team,
        "you": me(ask),
        "is_owner": is_owner,
        "members": list(ask.client.pages(f"{path}/members")),
        "invitations": _open(_allowed(ask, f"{path}/invitations")) if is_owner else [],
        "tag": edition.tag,
        "quotas": bounds,
        "apps": next((each["used"] for each in bounds if each["name"] == "apps"), None),
        "transfers": _allowed(ask, f"{path}/transfers") if is_owner else [],
        "made": None,
        "roles": ROLES,
        "live": False,
    })  # fmt: skip


def rename(ask: Ask) -> Done:
    """Call the team something else; nothing but its name changes."""
    to = ask.said("name")
    editions.change(ask.client, "PATCH", _path(ask), {"name": to}, ask.said("tag"))
    return Done(f"/teams/{quote(to, safe='')}", f"It is called {to} now.")


def delete(ask: Ask) -> Done:
    """Delete a team that has no apps; its name was typed."""
    team = ask.at["team"]
    ask.must_mean(team, "Nothing was deleted.")
    ask.client.send("DELETE", _path(ask))
    return Done("/teams", f"{team} is gone.")


def invite(ask: Ask) -> Shown:
    """Make an invitation; its link is on the answer alone."""
    wanted = {"role": ask.said("role"), "note": ask.said("note") or None,
              "employer": ask.said("employer") or None}  # fmt: skip
    made = ask.client.send("POST", f"{_path(ask)}/invitations", wanted)
    shown = show_team(ask)
    link = f"{ask.scheme}://{ask.host}{made['path']}"
    return Shown(shown.template, {**shown.facts, "made": {**made, "link": link}})


def revoke(ask: Ask) -> Done:
    """Let an invitation open nothing any more."""
    ask.client.send("DELETE", f"{_path(ask)}/invitations/{_said(ask, 'invitation')}")
    return _done(ask, "The invitation is revoked.")


def change_member(ask: Ask) -> Done:
    """Give a member another role."""
    change = {"role": ask.said("role")}
    ask.client.send("PATCH", f"{_path(ask)}/members/{_said(ask, 'person')}", change)
    return _done(ask, "The role is changed.")


def remove_member(ask: Ask) -> Done:
    """Take somebody out of the team; yourself, too."""
    ask.client.send("DELETE", f"{_path(ask)}/members/{_said(ask, 'person')}")
    if ask.said("person") == me(ask)["id"]:
        return Done("/teams", f"You have left {ask.at['team']}.")
    return _done(ask, "They are out of the team; their sessions and tokens ended.")


def accept_app(ask: Ask) -> Done:
    """Take over an app that another team wants to give."""
    ask.client.send("POST", f"/v1/apps/{_said(ask, 'app')}/transfer/accept")
    return _done(ask, "The app belongs to this team now.")


def _allowed(ask: Ask, path: str) -> list[Json]:
    try:
        return list(ask.client.pages(path))
    except Refused as refused:
        if refused.status != 403:
            raise
        return []


def _bounds(ask: Ask) -> list[Json]:
    """Return what the team may have, each with what it is called and how full it is."""
    found = ask.client.get(f"{_path(ask)}/quotas")["quotas"]
    return [{**each, "called": quotas.called(each), "share": quotas.share(each)} for each in found]


def _open(invitations: list[Json]) -> list[Json]:
    return [each for each in invitations if each["state"] == "open"]


def _path(ask: Ask) -> str:
    return f"/v1/teams/{quote(ask.at['team'], safe='')}"


def _said(ask: Ask, name: str) -> str:
    return quote(ask.said(name), safe="")


def _done(ask: Ask, said: str) -> Done:
    return Done(f"/teams/{quote(ask.at['team'], safe='')}", said)


ALL = (
    Page("/teams", show_teams),
    Act("/teams", create_team, show_teams),
    Page("/teams/{team}", show_team),
    Act("/teams/{team}/rename", rename, show_team),
    Act("/teams/{team}/delete", delete, show_team),
    Act("/teams/{team}/invite", invite, show_team),
    Act("/teams/{team}/revoke", revoke, show_team),
    Act("/teams/{team}/role", change_member, show_team),
    Act("/teams/{team}/remove", remove_member, show_team),
    Act("/teams/{team}/accept", accept_app, show_team),
)
