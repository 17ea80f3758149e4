"""A platform with a life behind it: what pages are looked at with, all of it really happened."""

import http.client
import json

from .platform import Platform, wait_until


def some_days(here: Platform) -> None:
    """Deploy, configure, scale, break and mend: an app of every kind there is."""
    shop(here)
    staging(here)
    a_failed_release(here)
    a_crash_loop(here)
    for name in ("hello", "site"):
        here.perron("deploy", str(here.app(name)), "-a", name, "--create")
    here.perron("stop", "-a", "site")
    here.perron("apps", "create", "drafts")
    others(here)


def shop(here: Platform) -> None:
    """Three releases, three instances, a domain, a volume with a copy, and busy logs."""
    folder = here.app("shop")
    here.perron("apps", "create", "shop")
    here.perron("config", "set", "CARD_RETRIES=3", "GATEWAY_KEY=sk_live_51f2a9", "-a", "shop")
    here.perron("volumes", "create", "receipts", "--mount", "/data", "--size", "64M", "-a", "shop")
    here.perron("deploy", str(folder), "-a", "shop")
    change(here, "shop")
    here.perron("deploy", str(folder), "-a", "shop")
    here.perron("config", "set", "CARD_RETRIES=5", "-a", "shop")
    here.perron("scale", "web=2", "-a", "shop")
    here.perron("domains", "add", "www.shop.test", "-a", "shop")
    here.perron("volumes", "snapshot", "receipts", "-a", "shop")
    schedules(here)
    wait_until(lambda: here.status("shop.localhost") == 200, 20)
    visit(here)


def schedules(here: Platform) -> None:
    """One that ran, one that failed and is paused."""
    here.perron("cron", "add", "nightly", "0 3 * * *", "python3 -V", "-a", "shop",
                "--timezone", "Europe/Berlin")  # fmt: skip
    here.perron("cron", "add", "report", "@hourly", "python3 report.py", "-a", "shop")
    here.perron("cron", "run", "nightly", "-a", "shop")
    here.perron("cron", "run", "report", "-a", "shop", check=False)
    here.perron("cron", "disable", "report", "-a", "shop")


def others(here: Platform) -> None:
    """Somebody who came by an invitation, and a team without apps."""
    here.perron("teams", "create", "lab")
    made = here.json("invitations", "create", "--team", "main", "--role", "developer",
                     "--employer", "ACME", "--note", "noor")  # fmt: skip
    account = {"handle": "noor", "name": "Noor Haddad", "password": "twelve oranges"}
    join(here, made["path"].rpartition("/")[2], account)
    here.perron("invitations", "create", "--team", "main", "--role", "viewer", "--note", "kim")


def join(here: Platform, code: str, account: dict[str, str]) -> None:
    """Accept an invitation as somebody new."""
    asked(here, f"/v1/invitations/{code}/accept", account)


def doors(here: Platform) -> dict[str, str]:
    """Make a link of every kind: the pages outside the shell, by a name for their picture."""
    invited = here.json("invitations", "create", "--team", "main", "--role", "developer")
    return {
        "invite": invited["path"],
        "reset": here.json("people", "reset", "noor")["path"],
        "cli": asked(here, "/v1/logins", {"name": "noors laptop"})["path"],
        "link-gone": "/invite/used-already",
    }


def asked(here: Platform, path: str, body: dict[str, str]) -> dict[str, str]:
    """Ask the API as nobody in particular."""
    connection = http.client.HTTPConnection("127.0.0.1", here.http_port, timeout=20)
    headers = {"Host": f"perron.localhost:{here.http_port}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status != 201:
        raise AssertionError(told)
    return dict(json.loads(told))


def visit(here: Platform, times: int = 40) -> None:
    """Buy things."""
    for each in range(times):
        here.status("shop.localhost", "/pay" if each % 2 else "/cart/7c1e")


def staging(here: Platform) -> None:
    """A second place, for those who know its password."""
    here.perron("env", "create", "staging", "-a", "shop")
    here.perron("deploy", "-a", "shop", "-e", "staging", "--from-release", "2",
                "--from-environment", "production")  # fmt: skip
    here.perron("protect", "--user", "team", "--password-stdin", "-a", "shop", "-e", "staging",
                input="open sesame\n")  # fmt: skip


def a_failed_release(here: Platform) -> None:
    """A deploy that never answered; what was live never noticed."""
    folder = here.app("broken", to="shop-broken")
    here.perron("deploy", str(folder), "-a", "shop", check=False)


def a_crash_loop(here: Platform) -> None:
    """An app that was well, and falls again and again."""
    folder = here.app("shop", to="mailer")
    (folder / "Procfile").write_text("web: python3 server.py\nworker: python3 worker.py\n")
    here.perron("deploy", str(folder), "-a", "mailer", "--create")
    (folder / "worker.py").write_text(
        'import sys, time\nprint("connecting to smtp.example.test", flush=True)\ntime.sleep(6)\n'
        'sys.exit("Error: connect ECONNREFUSED 127.0.0.1:25")\n'
    )
    here.perron("deploy", str(folder), "-a", "mailer", check=False)


def change(here: Platform, name: str) -> None:
    """Change one line, as before every deploy."""
    page = here.folder / name / "server.py"
    page.write_text(page.read_text().replace("limit 2000", "limit 2,000"))
