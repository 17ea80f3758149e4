"""What is destroyed leaves nothing but its events: no process, file, route, group, uid or line."""

import json
import os
import re
import sqlite3
from contextlib import closing, suppress
from glob import glob
from pathlib import Path

import pytest

from tools.rig.platform import wait_until

STAYS = {"event", "operation", "step", "progress", "head", "seal"}  # what happened, and the journal
# A freed port rests; answers to repeats go within a day; minutes count to the month's end.
FADES = {"port", "answer", "quota_build"}


def traces(here, ids, uids=()):
    """List what names any of these ids: processes, files, routes, groups, rows."""
    wanted = re.compile("|".join(map(re.escape, ids)))
    slot = json.loads((here.home / "settings.json").read_text())["slot"]
    every = glob(f"/sys/fs/cgroup/**/perron-{slot}/**/", recursive=True)
    groups = [each for each in every if wanted.search(each)]
    return {
        "processes": sorted(set(_processes(groups, uids))),
        "files": sorted(_files(here, wanted)),
        "routes": [path.name for path in (here.home / "edge").glob("*.map")
                   if wanted.search(path.read_text())],
        "groups": groups,
        "rows": sorted(_rows(here, wanted)),
    }  # fmt: skip


def _processes(groups, uids):
    """Give what is in these groups, and what belongs to these users."""
    for group in groups:
        listed = Path(group, "cgroup.procs")
        yield from listed.read_text().split() if listed.is_file() else ()
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid in uids:
                yield entry.name


def _files(here, wanted):
    for path in here.home.rglob("*"):
        if wanted.search(str(path.relative_to(here.home))):
            yield str(path.relative_to(here.home))


def _rows(here, wanted):
    """Give the tables with a row that names one of the ids."""
    for name in ("perron.db", "node.db", "node/logs.db"):
        with closing(sqlite3.connect(here.home / name, timeout=20)) as database:
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            for (table,) in database.execute(query).fetchall():
                rows = database.execute(f'SELECT * FROM "{table}"')
                if table not in STAYS | FADES and any(wanted.search(_text(row)) for row in rows):
                    yield f"{name} {table}"


def _text(row):
    return " ".join(
        each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in row
    )


def uids_of(here, *environments):
    """The users their instances run as; nobody's own when an ordinary user started all this."""
    with closing(sqlite3.connect(here.home / "node.db", timeout=20)) as database:
        given = dict(database.execute("SELECT environment, uid FROM uid").fetchall())
    return {given[each] for each in environments if each in given} - {os.getuid()}


def furnish(here, name):
    """An app with everything an app can have, in two environments."""
    folder = here.app("load", to=name)
    (folder / "Procfile").write_text(
        "web: python3 app.py\nrelease: sh -c 'echo ran; touch /data/x'\n"
    )
    (folder / "perron.toml").write_text('[volumes.data]\nmount = "/data"\nsize = "16M"\n')
    here.perron("apps", "create", name)
    here.perron("config", "set", "TOKEN=secret-of-mine", "-a", name)
    here.perron("deploy", str(folder), "-a", name, timeout=400)
    here.perron("volumes", "snapshot", "data", "-a", name)
    here.perron("domains", "add", f"www.{name}.test", "-a", name)
    here.perron("env", "create", "staging", "-a", name)
    here.perron("deploy", str(folder), "-a", name, "-e", "staging", timeout=400)
    here.perron("run", "-a", name, "--", "true", check=False)
    wait_until(lambda: here.status(f"{name}.localhost") == 200, 60)
    return folder


def ids_of(here, name):
    app = here.json("apps", "info", name)
    return {each["name"]: each["id"] for each in app["environments"]} | {"app": app["id"]}


def instances_of(here, *environments):
    """The ids of their instances, and of the jobs that ran for them: what the machine says."""
    with closing(sqlite3.connect(here.home / "node.db", timeout=20)) as database:
        found = database.execute("SELECT id, environment FROM instance").fetchall()
        found += database.execute("SELECT name, environment FROM job").fetchall()
    return [id for id, environment in found if environment in environments]


@pytest.mark.timeout(600)
def test_a_destroyed_environment_and_app_leave_nothing_but_events(here):
    furnish(here, "gone")
    ids = ids_of(here, "gone")
    users = uids_of(here, *ids.values())
    names = [*ids.values(), "gone.localhost", "gone--staging", "www.gone.test"]
    names += instances_of(here, *ids.values())
    staging = [ids["staging"], "gone--staging", *instances_of(here, ids["staging"])]
    user = uids_of(here, ids["staging"])
    alive = traces(here, staging, user)
    assert alive["files"]
    assert alive["routes"]
    assert alive["rows"]
    assert os.getuid() or (alive["processes"] and alive["groups"])
    here.perron("env", "destroy", "staging", "-a", "gone", "--yes", "staging", timeout=300)
    assert_gone(here, staging, user)
    assert here.status("gone.localhost") == 200
    here.perron("apps", "destroy", "gone", "--yes", "gone", timeout=300)
    assert_gone(here, names, users)
    here.perron("teams", "create", "short-lived")
    team = next(each["id"] for each in here.json("teams", "list") if each["name"] == "short-lived")
    here.perron("teams", "delete", "short-lived", "--yes", "short-lived")
    assert_gone(here, [team], ())


def assert_gone(here, names, users):
    try:
        wait_until(lambda: not any(traces(here, names, users).values()), 60)
    except AssertionError:
        raise AssertionError(f"left: {traces(here, names, users)}") from None
