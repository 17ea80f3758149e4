"""A stage for hostile requests: people of every role, and things that may be broken."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from .platform import Platform, wait_until

ROLES = ("administrator", "owner", "developer", "viewer", "stranger", "none")
APP = "/v1/apps/{app}"
SPENT = {  # what a request may end, by method and address: made anew each time
    ("DELETE", APP): "app",
    ("PATCH", APP): "app",
    ("POST", APP + "/transfer/accept"): "app",
    ("POST", APP + "/transfer"): "app",
    ("DELETE", APP + "/environments/{environment}"): "environment",
    ("DELETE", "/v1/teams/{team}"): "team",
    ("PATCH", "/v1/teams/{team}"): "team",
    ("PATCH", "/v1/teams/{team}/members/{person}"): "person",
    ("DELETE", "/v1/teams/{team}/members/{person}"): "person",
    ("DELETE", "/v1/people/{person}"): "person",
    ("PATCH", "/v1/people/{person}"): "person",
    ("POST", "/v1/people/{person}/reset"): "person",
    ("DELETE", "/v1/tokens/{token}"): "token",
    ("DELETE", "/v1/sessions/{session}"): "session",
    ("DELETE", "/v1/teams/{team}/invitations/{invitation}"): "invitation",
    ("GET", "/v1/invitations/{code}"): "code",
    ("POST", "/v1/invitations/{code}/accept"): "code",
    ("GET", "/v1/resets/{code}"): "reset",
    ("POST", "/v1/resets/{code}"): "reset",
    ("DELETE", "/v1/logins/{code}"): "login",
    ("GET", "/v1/logins/{code}"): "login",
    ("POST", "/v1/logins/{code}/approve"): "login",
    ("POST", "/v1/logins/{code}/token"): "login",
}
EACH = 2


class Stage:
    """Team ``crew`` with an app that runs, and somebody of every role."""

    def __init__(self, here: Platform) -> None:
        self.here = here
        self.socket: Path = here.home / "run" / "api.sock"
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.socket)), base_url="http://perron",
            timeout=60,
        )  # fmt: skip
        self._numbers = count(1)
        self._tokens: dict[str, str] = {}
        self._root = json.loads((here.home / "cli.json").read_text())["token"]
        self._people: dict[str, str] = {}
        self.team = self.ask("POST", "/v1/teams", {"name": "crew"})["id"]
        self.other = self.ask("POST", "/v1/teams", {"name": "elsewhere"})["id"]
        self._let_in()
        self._bound()
        here.perron("apps", "create", "played", "--team", "crew")
        here.perron("deploy", str(here.app("load", to="played")), "-a", "played")
        here.perron("volumes", "create", "data", "--mount", "/data", "--size", "8M", "-a", "played")
        self._words = self._lasting()

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Ask the API, and expect it to be done."""
        answer = self._http.request(
            method, path, json=body, headers=_shown(self._root if token is None else token)
        )
        if answer.status_code >= 300:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def headers(self, role: str) -> dict[str, str]:
        """Return how somebody of that role shows who they are."""
        return _shown(self._tokens.get(role, ""))

    def words_for(self, method: str, path: str) -> list[dict[str, str]]:
        """Return what to write for the braces of an address, so that it leads somewhere."""
        self._let_in()
        named = [each.split("}")[0] for each in path.split("{")[1:]]
        if not named:
            return []
        spent = SPENT.get((method.upper(), path))
        sets = [self._words | getattr(self, f"_make_{spent}")() for _ in range(EACH)] if spent \
            else [self._words]  # fmt: skip
        return [{name: str(words[name]) for name in named} for words in sets]

    def _let_in(self) -> None:
        """Give everybody a key who has none that opens."""
        for role in ROLES[1:-1]:
            token = self._tokens.get(role)
            if token is None or not self._opens(token):
                self._tokens[role] = self._somebody(role)
        if not self._opens(self._tokens.get("administrator", "")):
            made = self.ask("POST", "/v1/tokens", {"name": "thrown"})
            self._tokens["administrator"] = made["token"]

    def _opens(self, token: str) -> bool:
        return self._http.get("/v1/me", headers=_shown(token)).status_code == 200

    def _somebody(self, role: str) -> str:
        team = self.other if role == "stranger" else self.team
        made = self._join("owner" if role == "stranger" else role, team)
        self._people[role] = made["person"]["id"]
        return str(made["session"]["secret"])

    def _join(self, role: str, team: str) -> Any:
        code = self._make_code(role, team)["code"]
        name = f"p{next(self._numbers)}"
        body = {"handle": name, "name": name, "password": "correct horse battery"}
        return self.ask("POST", f"/v1/invitations/{code}/accept", body, token="")

    def _bound(self) -> None:
        """Bound what odd requests may start: the machine is others' too."""
        self.ask("PATCH", f"/v1/teams/{self.team}/quotas", {"instances": 4, "apps": 40})

    def _lasting(self) -> dict[str, str]:
        place = "/v1/apps/played/environments/production"
        instances = wait_until(lambda: self.ask("GET", place + "/instances")["items"], 60)
        operations = self.ask("GET", "/v1/operations")["items"]
        run = self.ask("POST", place + "/runs", {"argv": ["true"]})
        nightly = {"name": "nightly", "schedule": "@daily", "command": "true"}
        self.ask("POST", place + "/schedules", nightly)
        return {
            "app": "played", "environment": "production", "team": "crew", "number": "1",
            "other": "1", "name": "GREETING", "host": "played.localhost", "volume": "data",
            "run": run["id"], "instance": instances[0]["id"], "operation": operations[0]["id"],
            "person": self._people["viewer"], "risk": "tcp-open", "token": "tok_none",
            "session": "ses_none", "invitation": "inv_none", "code": "AppNotFound",
            "snapshot": "20260101T000000Z",
            "schedule": "nightly",
        }  # fmt: skip

    def _make_app(self) -> dict[str, str]:
        name = f"spent-{next(self._numbers)}"
        self.ask("POST", "/v1/apps", {"name": name, "team": self.team})
        return {"app": name}

    def _make_environment(self) -> dict[str, str]:
        name = f"spent-{next(self._numbers)}"
        self.ask("POST", "/v1/apps/played/environments", {"name": name})
        return {"environment": name}

    def _make_team(self) -> dict[str, str]:
        made = self.ask("POST", "/v1/teams", {"name": f"spent-{next(self._numbers)}"})
        return {"team": made["id"]}

    def _make_person(self) -> dict[str, str]:
        return {"person": self._join("viewer", self.team)["person"]["id"]}

    def _make_token(self) -> dict[str, str]:
        return {"token": self.ask("POST", "/v1/tokens", {}, self._tokens["owner"])["id"]}

    def _make_session(self) -> dict[str, str]:
        return {"session": self._join("viewer", self.team)["session"]["id"]}

    def _make_invitation(self) -> dict[str, str]:
        return {"invitation": self._invite("viewer", self.team)["id"]}

    def _make_code(self, role: str = "viewer", team: str = "") -> dict[str, str]:
        return {"code": _last(self._invite(role, team or self.team)["path"])}

    def _make_reset(self) -> dict[str, str]:
        person = self._make_person()["person"]
        return {"code": _last(self.ask("POST", f"/v1/people/{person}/reset")["path"])}

    def _make_login(self) -> dict[str, str]:
        answer = self._http.post("/v1/logins", json={"name": "laptop"})
        return {"code": answer.json().get("code", "BCDF-GHJK")}  # none while too many wait

    def _invite(self, role: str, team: str) -> Any:
        return self.ask("POST", f"/v1/teams/{team}/invitations", {"role": role})


def _shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _last(path: str) -> str:
    return path.rpartition("/")[2]
