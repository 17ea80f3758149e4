"""Two teams in two shells: everything of the other is not there, and asking leaves a trace."""

import http.client
import json
import os
import re
import subprocess
from typing import Any

from stage import Platform, must, platform, show, times

PASSWORD = "correct horse battery"
NOT_FOUND, NOT_ALLOWED = 4, 3
OTHERS = (
    "apps info {app}", "releases -a {app}", "logs -a {app}", "config -a {app}", "ps -a {app}",
    "domains -a {app}", "volumes -a {app}", "tokens -a {app}", "restart -a {app}",
    "scale -a {app} web=3", "rollback -a {app}", "config set -a {app} A=1",
    "exec -a {app} web.1 -- true", "run -a {app} -- true", "env create staging -a {app}",
    "apps rename {app} mine", "apps destroy {app} --yes {app}", "transfers ask {app} blue --yes",
    "members --team {team}", "invitations --team {team}", "tokens --team {team}",
    "api GET /v1/operations/{operation}", "api GET /v1/apps/{id}",
)  # fmt: skip


def ask(
    here: Platform, method: str, path: str, body: Any = None, *, secret: str = "", cookie: str = ""
) -> tuple[int, Any]:
    """Ask the API as a browser would, through the edge."""
    headers = {"Host": f"perron.localhost:{here.http_port}", "Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {secret}"} if secret else {}
    headers |= {"Cookie": f"perron_session={cookie}"} if cookie else {}
    connection = http.client.HTTPConnection("127.0.0.1", here.http_port, timeout=20)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


class Shell:
    """Somebody's own shell: signed in through a browser, with nothing of the machine's owner."""

    def __init__(self, here: Platform, handle: str, team: str) -> None:
        self.here, self.handle = here, handle
        self.url = f"http://perron.localhost:{here.http_port}"
        self.environment = here.environment | {
            "HOME": str(here.folder / handle),
            "XDG_CONFIG_HOME": str(here.folder / handle / "config"),
            "PERRON_HOME": str(here.folder / handle / "none"),
        }
        os.makedirs(here.folder / handle / "config")
        words = ("invitations", "create", "--team", team, "--role", "owner")
        link = str(here.json(*words, "--employer", "ACME")["url"])  # type: ignore[index]
        code = link.rpartition("/")[2]
        account = {"handle": handle, "name": handle.title(), "password": PASSWORD}
        status, told = ask(here, "POST", f"/v1/invitations/{code}/accept", account)
        must(status == 201, f"{handle} came into team {team} by a link")
        must(ask(here, "GET", f"/v1/invitations/{code}")[0] == 409, "the link is good no more")
        self.secret = told["session"]["secret"]
        self.id = told["person"]["id"]
        self._sign_in()

    def _sign_in(self) -> None:
        waiting = subprocess.Popen(
            [*self._command(), "login", self.url, "--link"], env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = (waiting.stderr.readline() if waiting.stderr else "") + (
            waiting.stderr.readline() if waiting.stderr else ""
        )
        (code,) = re.findall(r"[B-Z]{4}-[B-Z]{4}", said.splitlines()[1])
        page = f"/v1/logins/{code}"
        must(ask(self.here, "POST", f"{page}/approve", cookie=self.secret)[0] == 403,
             "a cookie alone approves nothing")  # fmt: skip
        ask(self.here, "POST", f"{page}/approve", secret=self.secret)
        must(waiting.wait(30) == 0, f"{self.handle}'s shell was let in by {self.handle}'s browser")
        for stream in (waiting.stdout, waiting.stderr):
            if stream:
                stream.close()

    def perron(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command(), *words], env=self.environment, cwd=self.here.folder,
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180, check=False,
        )  # fmt: skip

    def _command(self) -> list[str]:
        return ["perron"]


with platform() as here:
    (code,) = re.findall(r"/login/([0-9a-f]+)", here.perron("up").stderr)
    signed = [ask(here, "POST", "/v1/sessions", {"link": code})[0] for _ in range(2)]
    must(signed == [201, 404], "perron up prints a link that signs in, once")
    for team in ("red", "blue"):
        here.perron("teams", "create", team)
    rhea, bela = Shell(here, "rhea", "red"), Shell(here, "bela", "blue")

    for who, app in ((rhea, "shop"), (bela, "blog"))[: times(2, 1)]:
        done = who.perron("deploy", str(here.app("hello", app)), "-a", app, "--create")
        must(done.returncode == 0, f"{who.handle} put {app} live, and asked nobody")
    shop = json.loads(rhea.perron("apps", "info", "shop", "--json").stdout)
    operation = json.loads(rhea.perron("operations", "--json").stdout)[0]["id"]
    facts = {"app": "shop", "team": "red", "operation": operation, "id": shop["id"]}

    said = {line: bela.perron(*line.format(**facts).split()) for line in OTHERS}
    wrong = [line for line, done in said.items() if done.returncode != NOT_FOUND]
    for line in wrong:
        show(f"{line}: {said[line].returncode} {said[line].stderr.strip()}")
    must(not wrong, f"{len(said)} commands of blue about what is red's: nothing is there")
    must(b"hello" in here.ask("shop.localhost")[1].lower(), "shop serves its visitors as before")
    taken = bela.perron("apps", "create", "shop")
    must("is taken" in taken.stderr and "red" not in taken.stderr, "a name taken is told as taken")

    for path in ("/v1/apps/shop", f"/v1/operations/{operation}", "/v1/teams/red/members",
                 "/v1/apps/shop/environments/production/logs/follow"):  # fmt: skip
        must(ask(here, "GET", path, cookie=bela.secret)[0] == 404, f"bela's browser: {path} is 404")
    refused = here.json("audit", "--type", "perron.permission.refused.v1")
    left = {each["permission"] for each in (row["data"] for row in refused)}  # type: ignore[attr-defined]
    must(len(left) >= 12, f"refusals of {len(left)} permissions are in the audit trail")

    before = here.instance_pids("server.py")
    rhea.perron("transfers", "ask", "shop", "blue", "--yes")
    must(bela.perron("transfers", "accept", "shop").returncode == 0, "two owners agree: shop moves")
    must(rhea.perron("apps", "info", "shop").returncode == NOT_FOUND, "it is not there for red")
    must(bela.perron("ps", "-a", "shop").returncode == 0, "blue looks after it")
    must(here.status("shop.localhost") == 200, "its visitors noticed nothing")
    must(here.instance_pids("server.py") == before != [], "no instance was started again")

    here.perron("people", "promote", "bela")
    here.perron("members", "leave", "--team", "red", "--yes")
    must(rhea.perron("members", "leave", "--team", "red", "--yes").returncode == 5,
         "the last owner cannot go")  # fmt: skip
    here.perron("members", "remove", "bela", "--team", "blue", "--yes")
    must(
        ask(here, "GET", "/v1/me", secret=bela.secret)[0] == 401, "who is taken out is out at once"
    )
    show("two teams, one machine, nothing of the other")
