"""What happens when people do two things at once, or things that cannot be."""

import json
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tools.rig.platform import BIN, wait_until

PAGE = """import http.server, os
os.chdir(os.path.dirname(os.path.abspath(__file__)))
server = http.server.ThreadingHTTPServer
at = ("127.0.0.1", int(os.environ["PORT"]))
server(at, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def page(here, name, **files):
    """A folder that serves a page, and whatever else is given."""
    folder = here.folder / name
    folder.mkdir(exist_ok=True)
    contents = {"Procfile": "web: python3 app.py\n", "app.py": PAGE, "index.html": name} | files
    for path, text in contents.items():
        (folder / path).write_text(text)
    return folder


def command(here, *words):
    """Type a command and leave it running."""
    return subprocess.Popen(
        [str(BIN / "perron"), *words], cwd=here.folder, env=here.environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def running(*words):
    """The processes with exactly this command line."""
    wanted, found = "\0".join([*words, ""]).encode(), []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [each] if each.read_bytes() == wanted else []
    return found


def step_of(here, app):
    """The step in which the app's newest release is."""
    releases = here.json("releases", "-a", app)
    if not releases:
        return None
    told = json.loads(
        here.perron("api", "GET", f"/v1/operations/{releases[0]['operation']}").stdout
    )["operation"]
    return next((each["name"] for each in told["steps"] if each["state"] == "started"), None)


@pytest.fixture(scope="module")
def shop(here):
    folder = page(here, "shop")
    here.perron("deploy", str(folder), "-a", "shop", "--create")
    return folder


def test_an_unchanged_folder_makes_no_release_unless_by_force(here, shop):
    done = here.perron("deploy", str(shop), "-a", "shop")
    assert "nothing changed since release 1" in done.stderr
    assert done.stdout == f"http://shop.localhost:{here.http_port}/\n"
    assert len(here.json("releases", "-a", "shop")) == 1
    here.perron("deploy", str(shop), "-a", "shop", "--force")
    assert len(here.json("releases", "-a", "shop")) == 2


def test_two_first_deploys_at_once_make_one_app_and_one_of_them_wins(here):
    folder = page(here, "twins")
    both = [command(here, "deploy", str(folder), "-a", "twins", "--create") for _ in range(2)]
    said = [each.communicate(timeout=60) for each in both]
    ended = sorted(each.returncode for each in both)
    assert ended in ([0, 0], [0, 6]), said
    assert here.status("twins.localhost") == 200
    states = [each["state"] for each in here.json("releases", "-a", "twins")]
    assert states.count("live") == 1
    assert set(states) <= {"live", "superseded", "replaced"}


def test_a_deploy_of_only_a_worker_goes_live_and_has_no_page(here):
    folder = here.folder / "clock"
    folder.mkdir()
    (folder / "Procfile").write_text("worker: python3 -u tick.py\n")
    (folder / "tick.py").write_text(
        "import time\nwhile True:\n    print('tick')\n    time.sleep(1)\n"
    )
    here.perron("deploy", str(folder), "-a", "clock", "--create")
    (instance,) = here.json("ps", "-a", "clock")
    assert (instance["process"], instance["state"]) == ("worker", "healthy")
    assert here.status("clock.localhost") in (404, 503)


def test_nothing_runs_after_a_scale_to_nought_and_visitors_are_told(here, shop):
    here.perron("scale", "-a", "shop", "web=0")
    wait_until(lambda: here.json("ps", "-a", "shop") == [])
    assert here.status("shop.localhost") == 503
    here.perron("scale", "-a", "shop", "web=1")
    assert wait_until(lambda: here.status("shop.localhost") == 200)


def test_an_unknown_process_is_refused_with_those_that_are_known(here, shop):
    refused = here.perron("scale", "-a", "shop", "wbe=2", check=False)
    assert refused.returncode == 2
    assert "there are: web" in refused.stderr


def test_a_release_command_that_fails_leaves_the_old_one_serving(here, shop):
    files = {"Procfile": "web: python3 app.py\nrelease: python3 -c \"exit('no table users')\"\n"}
    failed = here.perron("deploy", str(page(here, "shop", **files)), "-a", "shop", check=False)
    assert failed.returncode == 1
    assert "no table users" in failed.stderr
    assert here.status("shop.localhost") == 200
    number = here.json("releases", "-a", "shop")[0]["number"]
    refused = here.perron("rollback", str(number), "-a", "shop", "--yes", check=False)
    assert refused.returncode == 5
    assert "never live" in refused.stderr


def test_cancel_really_stops_the_release_command(here, shop):
    page(here, "shop", Procfile="web: python3 app.py\nrelease: sleep 3307\n")
    deploy = command(here, "deploy", str(shop), "-a", "shop")
    wait_until(lambda: running("sleep", "3307"))
    here.perron("cancel", "-a", "shop")
    said = deploy.communicate(timeout=30)
    assert deploy.returncode == 6, said
    wait_until(lambda: not running("sleep", "3307"))
    assert here.status("shop.localhost") == 200
    assert here.json("releases", "-a", "shop")[0]["state"] == "cancelled"


def test_a_rename_while_deploying_leads_to_the_new_name(here):
    folder = page(here, "before", Procfile="web: python3 app.py\nrelease: sleep 2\n")
    deploy = command(here, "deploy", str(folder), "-a", "before", "--create")
    wait_until(lambda: _exists(here, "before") and step_of(here, "before") == "release")
    here.perron("apps", "rename", "before", "after")
    said = deploy.communicate(timeout=60)
    assert deploy.returncode == 0, said
    assert wait_until(lambda: here.status("after.localhost") == 200)
    assert here.status("before.localhost") == 404


def test_an_app_that_is_destroyed_while_deploying_leaves_nothing(here):
    folder = page(here, "doomed", Procfile="web: python3 app.py\nrelease: sleep 60\n")
    deploy = command(here, "deploy", str(folder), "-a", "doomed", "--create")
    wait_until(lambda: _exists(here, "doomed") and step_of(here, "doomed") == "release")
    here.perron("apps", "destroy", "doomed", "--yes", "doomed")
    said = deploy.communicate(timeout=60)
    assert deploy.returncode in (4, 6), said
    assert here.status("doomed.localhost") == 404
    assert not _exists(here, "doomed")


def test_a_name_that_is_kept_for_the_platform_is_refused_with_another_to_take(here):
    refused = here.perron("deploy", str(page(here, "static")), "--create", check=False)
    assert refused.returncode == 2
    assert "kept for the platform" in refused.stderr
    assert "static-1" in refused.stderr


def test_commands_outlive_a_server_that_is_killed(here, shop):
    ended = threading.Event()
    failed = []

    def ask():
        looks = (("ps",), ("releases",), ("config", "list"), ("apps",))
        while not ended.is_set():
            for words in looks:
                place = () if words == ("apps",) else ("-a", "shop")
                done = here.perron(*words, *place, check=False)
                if done.returncode:
                    failed.append((words, done.returncode, done.stderr))

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for each in askers:
        each.start()
    for _ in range(4):
        before = here.pid("serve")
        here.kill("serve")
        wait_until(lambda pid=before: here.pid("serve") not in (None, pid))
        here.perron("apps")
    ended.set()
    for each in askers:
        each.join(60)
    assert not failed, failed


def _exists(here, app):
    return here.perron("apps", "info", app, check=False).returncode == 0
