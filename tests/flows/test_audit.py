"""The trail on a real platform: read it, verify it, tamper with it, restore over it."""

import json
import sqlite3
from contextlib import closing

import pytest

from tools.rig.platform import wait_until


def verify(here, *words):
    done = here.perron("audit", "verify", *words, check=False)
    return done.returncode, done.stdout + done.stderr


def tamper(here, statement):
    with closing(sqlite3.connect(here.home / "perron.db", timeout=20)) as database:
        database.execute("PRAGMA busy_timeout = 20000")
        database.execute(statement)
        database.commit()


def is_signed(here):
    head = here.home / "audit" / "head.json"
    with closing(sqlite3.connect(here.home / "perron.db", timeout=20)) as database:
        last = database.execute("SELECT max(position) FROM event").fetchone()[0]
    return head.exists() and json.loads(head.read_text())["position"] == last


@pytest.fixture(scope="module")
def kept(here, tmp_path_factory):
    """A head that somebody kept elsewhere while all was well."""
    here.perron("apps", "create", "shop")
    wait_until(lambda: is_signed(here), 20)
    path = tmp_path_factory.mktemp("elsewhere") / "kept.json"
    path.write_text(here.perron("audit", "head").stdout)
    return path


def test_what_was_done_is_in_the_trail_with_who_and_from_where(here, kept):
    here.perron("apps", "rename", "shop", "store")
    found = here.json("audit", "--app", "store", "--type", "app.renamed")
    assert (found[0]["before"], found[0]["after"]) == ("shop", "store")
    assert found[0]["from"]["address"] == "local"
    assert "app.renamed" in here.perron("audit").stdout


def test_an_address_claimed_by_a_visitor_is_not_believed(here, kept):
    token = json.loads((here.home / "cli.json").read_text())["token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    claimed = headers | {"X-Forwarded-For": "6.6.6.6"}
    body = json.dumps({"name": "store2"}).encode()
    status, _ = here.ask("perron.localhost", "/v1/apps/store", "PATCH", body, claimed)
    assert status == 200
    found = here.json("audit", "--type", "app.renamed", "-n", "1")
    assert found[0]["from"]["address"] == "127.0.0.1"


def test_an_untouched_trail_verifies_and_a_tampered_one_does_not(here, kept):
    code, told = verify(here, "--head", str(kept))
    assert (code, "as they were written" in told) == (0, True), told
    tamper(here, "UPDATE event SET actor = actor || 'x' WHERE position = 2")
    code, told = verify(here)
    assert (code, "Event 2 was changed." in told) == (1, True), told
    tamper(here, "UPDATE event SET actor = substr(actor, 1, length(actor) - 1) WHERE position = 2")
    assert verify(here)[0] == 0


def test_without_its_key_nobody_can_tell(here, kept):
    key = here.home / "keys" / "audit.key"
    key.rename(key.with_name("away"))
    assert verify(here)[0] == 7
    key.with_name("away").rename(key)
    assert verify(here)[0] == 0


def test_a_restored_backup_is_in_the_trail_and_the_trail_is_whole(here, kept):
    wait_until(lambda: is_signed(here), 20)
    backup = here.perron("platform", "backup").stdout.strip()
    here.perron("apps", "create", "later")
    wait_until(lambda: is_signed(here), 20)
    here.perron("platform", "restore", backup, "--replace")
    here.up()
    wait_until(lambda: here.json("audit", "--type", "audit.restarted"), 20)
    assert verify(here)[0] == 0
    restarted = here.json("audit", "--type", "audit.restarted")[0]
    assert "Restored from" in restarted["data"]["why"]
