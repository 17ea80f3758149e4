"""Old builds and sources go by policy; what going back needs stays, on a real machine."""

import os
import shutil
import time
from datetime import timedelta

import httpx
import pytest

from perron.kit.db import open_database
from perron.kit.settings import Home
from perron.releases import controller
from perron.releases.service import pruning
from tools.rig.platform import wait_until

RELEASES = 13


@pytest.fixture(scope="module")
def old(here):
    folder = here.app("hello")
    for number in range(RELEASES):
        (folder / "words").write_text(f"{number}\n")
        here.perron("deploy", str(folder), "-a", "hello", "--create")
    return folder


@pytest.fixture
def database(here):
    database = open_database(f"sqlite:///{here.home / 'perron.db'}")
    yield database
    database.dispose()


def builds(here):
    return {each["number"]: each["build"] for each in here.json("releases", "-a", "hello")}


def files(here):
    return {each.name for each in (here.home / "node" / "builds").iterdir()}


def archives(here):
    return [each for each in (here.home / "sources").iterdir() if each.name.endswith(".tar.gz")]


def test_only_what_the_last_ten_releases_need_is_kept(here, old, database, monkeypatch):
    made = builds(here)
    assert files(here) == set(made.values())
    (old / "words").write_text("0\n")  # what the oldest was built from is released again
    here.perron("deploy", str(old), "-a", "hello")
    monkeypatch.setattr(pruning, "UPLOAD_GRACE", timedelta(0))
    controller.prune_all(database, Home(here.home))
    needed = {builds(here)[number] for number in range(RELEASES - 8, RELEASES + 2)}
    assert files(here) == needed
    assert made[1] in needed
    assert len(archives(here)) == 10
    assert here.status("hello.localhost") == 200


def test_each_of_the_last_ten_can_still_be_gone_back_to(here, old):
    here.perron("rollback", str(RELEASES - 8), "-a", "hello", "--yes")
    assert here.status("hello.localhost") == 200


def test_what_is_pruned_says_so_and_is_made_again_from_its_source(here, old):
    refused = here.perron("rollback", "2", "-a", "hello", "--yes", check=False)
    assert refused.returncode != 0
    assert "deploy its source again" in refused.stderr
    (old / "words").write_text("1\n")
    here.perron("deploy", str(old), "-a", "hello")
    assert here.status("hello.localhost") == 200


def test_pruning_does_nothing_while_a_release_is_on_its_way(here, old, database, monkeypatch):
    monkeypatch.setattr(pruning, "KEEP", 1)
    (old / "perron.toml").write_text(
        '[build]\ncommand = "sleep 2"\n[process.web]\ncommand = "false"\n'
    )
    here.perron("deploy", str(old), "-a", "hello", "--detach")
    before = files(here)
    controller.prune_all(database, Home(here.home))
    assert files(here) >= before
    here.perron("cancel", "-a", "hello")
    states = lambda: {each["state"] for each in here.json("releases", "-a", "hello")}  # noqa: E731
    wait_until(lambda: "asked" not in states(), what="it is cancelled")
    controller.prune_all(database, Home(here.home))
    assert len(files(here)) == 1
    assert here.status("hello.localhost") == 200


def test_a_build_that_no_app_knows_goes_after_a_day_unless_it_is_fresh(here, old, database):
    known, folder = files(here), here.home / "node" / "builds"
    for name, age in (("nobodys", 2 * 86_400), ("fresh", 60)):
        shutil.copytree(folder / next(iter(known)), folder / name, symlinks=True)
        then = time.time() - age
        os.utime(folder / name / "build.json", (then, then))
    controller.prune_all(database, Home(here.home))
    assert files(here) == known | {"fresh"}
    shutil.rmtree(folder / "fresh")


def test_a_build_of_what_is_parked_stays_until_it_is_let_go(here, old, database, monkeypatch):
    """As after an older state was put back, that does not know the newest app."""
    backup = here.perron("platform", "backup").stdout.strip()
    (old / "perron.toml").unlink(missing_ok=True)
    (old / "words").write_text("of an app nobody will know\n")
    here.perron("deploy", str(old), "-a", "young", "--create")
    build = here.json("releases", "-a", "young")[0]["build"]
    here.perron("down")
    here.perron("platform", "restore", backup, "--replace")
    here.perron("up")
    then = time.time() - 2 * 86_400
    os.utime(here.home / "node" / "builds" / build / "build.json", (then, then))
    parked = wait_until(lambda: [each["environment"] for each in report(here) if each["parked"]])
    controller.prune_all(database, Home(here.home))
    assert build in files(here)
    assert here.status("young.localhost") == 200
    agent(here, "DELETE", f"/v1/parked/{parked[0]}")
    wait_until(lambda: not [each for each in report(here) if each["parked"]], what="it is gone")
    controller.prune_all(database, Home(here.home))
    assert build not in files(here)


def report(here):
    return agent(here, "GET", "/v1/report").json()["environments"]


def agent(here, method, path):
    transport = httpx.HTTPTransport(uds=str(here.home / "run/agent.sock"))
    with httpx.Client(transport=transport, base_url="http://agent") as client:
        return client.request(method, path)
