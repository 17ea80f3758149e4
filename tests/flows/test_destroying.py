"""A platform that is destroyed leaves nothing: no process, file, group, claim or route."""

import os
from glob import glob
from pathlib import Path

import pytest

from tools.rig.platform import Platform, wait_until


@pytest.fixture
def here():
    made = Platform()
    try:
        yield made
    finally:
        made.close()


def _groups(slot):
    return set(glob(f"/sys/fs/cgroup/**/perron-{slot}", recursive=True)) if slot else set()


def _traces(here, others=frozenset()):
    """List what a platform leaves on a machine: processes, files, groups, claims, listeners."""
    home = str(here.home)
    slot = _slot(here)
    listening = Path("/proc/net/tcp").read_text()
    return {
        "processes": here.leftovers() + here.edge_pids(),
        "files": [each for each in (home, f"{here.folder}/.config/perron/links.json")
                  if os.path.lexists(each)],
        "groups": sorted(_groups(slot) - others),
        "claims": [each for each in glob("/tmp/perron-claims*/*") + glob("/*/*/perron-claims/*")
                   if _names(each, home)],
        "routes": [port for port in (here.http_port, here.https_port)
                   if f":{port:04X} 00000000:0000 0A" in listening],
        "uids": [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_of(pid, slot)],
    }  # fmt: skip


def _slot(here, known={}):  # noqa: B006 - remembered after the file is gone
    import json

    path = here.home / "settings.json"
    if path.exists():
        known[here.home] = json.loads(path.read_text())["slot"]
    return known.get(here.home)


def _names(claim, home):
    try:
        return Path(claim).read_text() == home
    except OSError:
        return False


def _is_of(pid, slot):
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return False
    return slot is not None and uid in range(100_000 + 3_000 * slot, 103_000 + 3_000 * slot)


def test_destroy_leaves_nothing_and_asks_for_the_name(here):
    others = _groups("*")  # of platforms beside this one
    assert not any(_traces(here).values())
    here.up()
    here.perron("deploy", str(here.app("hello")), "--create")
    assert here.status("hello.localhost") == 200
    alive = _traces(here)
    assert alive["processes"]
    assert alive["files"]
    assert alive["routes"]
    refused = here.perron("platform", "destroy", check=False)
    assert refused.returncode == 1
    assert "--yes p" in refused.stderr
    wrong = here.perron("platform", "destroy", "--yes", "other", check=False)
    assert wrong.returncode == 1
    assert here.status("hello.localhost") == 200
    here.perron("platform", "destroy", "--yes", "p")
    wait_until(
        lambda: not any(_traces(here, others).values()), 10, f"all gone: {_traces(here, others)}"
    )


def test_a_folder_that_is_no_platform_is_not_destroyed(here):
    here.home.mkdir(parents=True)
    precious = here.home / "thesis.txt"
    precious.write_text("years of work")
    done = here.perron("platform", "destroy", "--yes", "p", check=False)
    assert done.returncode == 1
    assert precious.read_text() == "years of work"
