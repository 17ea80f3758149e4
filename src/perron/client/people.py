"""What a platform can be asked about people: one function for each verb.

Answers are the API's documents (``docs/reference/openapi.json``).
"""

from collections.abc import Iterator
from urllib.parse import quote

from .client import Client, Json, app_path


def change_me(client: Client, change: Json) -> Json:
    """Change what you are called, your address or your password."""
    return dict(client.send("PATCH", "/v1/me", change))


def sessions(client: Client) -> Iterator[Json]:
    """Give the browsers you are signed in with."""
    return client.pages("/v1/sessions")


def end_session(client: Client, id: str) -> None:
    """Sign a browser out."""
    client.send("DELETE", f"/v1/sessions/{_part(id)}")


def login_link(client: Client) -> Json:
    """Make a page that signs you in, once."""
    return dict(client.send("POST", "/v1/login-links"))


def ask_in(client: Client, name: str) -> Json:
    """Ask to be let in; somebody with a browser approves."""
    return dict(client.send("POST", "/v1/logins", {"name": name}))


def collect(client: Client, code: str, secret: str) -> Json:
    """Ask whether somebody approved; if so, the token is in the answer."""
    return dict(client.send("POST", f"/v1/logins/{_part(code)}/token", {"secret": secret}))


def people(client: Client) -> Iterator[Json]:
    """Give everybody; for administrators."""
    return client.pages("/v1/people")


def set_administrator(client: Client, person: str, *, on: bool) -> Json:
    """Let somebody do everything, or no more."""
    return dict(client.send("PATCH", _person(person), {"administrator": on}))


def reset_password(client: Client, person: str) -> Json:
    """Make a page by which somebody sets a new password, once."""
    return dict(client.send("POST", f"{_person(person)}/reset"))


def erase_person(client: Client, person: str) -> None:
    """Forget somebody's name and e-mail, and let them in no more."""
    client.send("DELETE", _person(person))


def teams(client: Client) -> Iterator[Json]:
    """Give the teams you may see."""
    return client.pages("/v1/teams")


def create_team(client: Client, name: str) -> Json:
    """Found a team."""
    return dict(client.send("POST", "/v1/teams", {"name": name}))


def rename_team(client: Client, team: str, to: str) -> Json:
    """Give a team another name."""
    return dict(client.send("PATCH", _team(team), {"name": to}))


def delete_team(client: Client, team: str) -> None:
    """Delete a team that has no apps."""
    client.send("DELETE", _team(team))


def members(client: Client, team: str) -> Iterator[Json]:
    """Give who is in a team."""
    return client.pages(f"{_team(team)}/members")


def change_member(client: Client, team: str, person: str, change: Json) -> Json:
    """Give somebody another role or employer."""
    return dict(client.send("PATCH", _member(team, person), change))


def remove_member(client: Client, team: str, person: str) -> None:
    """Take somebody out of a team; ``me`` leaves it."""
    client.send("DELETE", _member(team, person))


def invitations(client: Client, team: str) -> Iterator[Json]:
    """Give whom a team invited."""
    return client.pages(f"{_team(team)}/invitations")


def invite(client: Client, team: str, request: Json) -> Json:
    """Make a link that lets somebody into a team, once."""
    return dict(client.send("POST", f"{_team(team)}/invitations", request))


def revoke_invitation(client: Client, team: str, id: str) -> None:
    """Let an invitation let nobody in any more."""
    client.send("DELETE", f"{_team(team)}/invitations/{_part(id)}")


def offer(client: Client, code: str) -> Json:
    """Say what an invitation offers."""
    return dict(client.get(f"/v1/invitations/{_part(code)}"))


def accept(client: Client, code: str) -> Json:
    """Come into the team of an invitation."""
    return dict(client.send("POST", f"/v1/invitations/{_part(code)}/accept", {}))


def team_tokens(client: Client, team: str) -> Iterator[Json]:
    """Give the tokens that reach one app of a team alone."""
    return client.pages(f"{_team(team)}/tokens")


def app_tokens(client: Client, app: str) -> Iterator[Json]:
    """Give the tokens that reach one app alone."""
    return client.pages(f"{app_path(app)}/tokens")


def ask_transfer(client: Client, app: str, team: str) -> Json:
    """Ask another team to take an app."""
    return dict(client.send("POST", f"{app_path(app)}/transfer", {"team": team}))


def accept_transfer(client: Client, app: str) -> Json:
    """Take an app that was offered to a team of yours."""
    return dict(client.send("POST", f"{app_path(app)}/transfer/accept"))


def withdraw_transfer(client: Client, app: str) -> None:
    """Let an app stay where it is."""
    client.send("DELETE", f"{app_path(app)}/transfer")


def transfers(client: Client, team: str) -> Iterator[Json]:
    """Give the apps on their way to a team or from it."""
    return client.pages(f"{_team(team)}/transfers")


def _person(person: str) -> str:
    return f"/v1/people/{_part(person)}"


def _team(team: str) -> str:
    return f"/v1/teams/{_part(team)}"


def _member(team: str, person: str) -> str:
    return f"{_team(team)}/members/{_part(person)}"


def _part(text: str) -> str:
    return quote(text, safe="")
