"""Builds on a real platform: what they see, when they are reused, and when made anew."""

import json
import shutil
from hashlib import md5

import pytest

from tools.rig.platform import offered_pythons, platform, wait_until

SECRET = "s3cret-of-the-index"
PRINTS = """
[build]
command = '''
echo token is $TOKEN, plain is $PLAIN
env | cut -d= -f1 > names.txt
printf %s $TOKEN | md5sum > sum.txt
'''
[process.web]
command = "python3 -u server.py"
"""


@pytest.fixture(scope="module")
def here():
    with platform(PERRON_PYTHONS=offered_pythons()) as made:
        yield made


@pytest.fixture(scope="module")
def hello(here):
    folder = here.app("hello")
    (folder / "perron.toml").write_text(PRINTS)
    here.perron("apps", "create", "hello")
    return folder


def deploy(here, folder, *words, **options):
    return here.perron("deploy", str(folder), *words, **options)


def newest(here, app, environment="production"):
    return here.json("releases", "-a", app, "-e", environment)[0]


def events(here, type):
    """What the spine says, oldest first."""
    from perron.kit import spine
    from perron.kit.db import open_database, reading

    database = open_database(f"sqlite:///{here.home / 'perron.db'}")
    try:
        with reading(database) as uow:
            query = spine.events.select().where(spine.events.c.type == type)
            return list(uow.connection.execute(query).mappings())
    finally:
        database.dispose()


def of(here, type, build):
    return [each for each in events(here, f"perron.build.{type}.v1") if each["subject"] == build]


def artefact(here, build):
    return here.home / "node" / "builds" / build / "app"


def test_a_build_sees_only_what_is_set_for_builds_and_its_log_masks_it(here, hello):
    here.perron("config", "set", "--build", "TOKEN=-", "-a", "hello", input=SECRET)
    here.perron("config", "set", "PLAIN=not-for-builds", "-a", "hello")
    deploy(here, hello, "-a", "hello")
    log = here.perron("logs", "-a", "hello", "--source", "build", "-n", "500").stdout
    assert "token is ••••, plain is" in log
    assert SECRET not in log
    assert "not-for-builds" not in log
    made = artefact(here, newest(here, "hello")["build"])
    assert (made / "sum.txt").read_text().split()[0] == md5(SECRET.encode()).hexdigest()
    names = set((made / "names.txt").read_text().split())
    assert "TOKEN" in names
    assert not names & {"PLAIN", "PERRON_HOME", "PERRON_TOKEN"}


def test_nothing_the_platform_writes_holds_the_secret(here, hello):
    build = newest(here, "hello")["build"]
    written = [*(here.home / "node" / "builds" / build).rglob("*")]
    written += [*(here.home / "logs").iterdir(), *here.home.glob("*.db*"), *here.home.rglob("*.db")]
    written += [*(here.home / "node").glob("jobs/*/*.json"), *here.home.glob("node/logs.db*")]
    found = [path.name for path in written if path.is_file() and SECRET in text(path)]
    assert found == []


def text(path):
    return path.read_bytes().decode(errors="replace")


def test_another_environment_reuses_the_build_only_when_it_tells_builds_the_same(here, hello):
    first = newest(here, "hello")["build"]
    here.perron("env", "create", "staging", "-a", "hello")
    deploy(here, hello, "-a", "hello", "-e", "staging")
    assert newest(here, "hello", "staging")["build"] != first
    here.perron("config", "set", "--build", "TOKEN=-", "-a", "hello", "-e", "staging", input=SECRET)
    assert newest(here, "hello", "staging")["build"] == first
    assert len(of(here, "finished", first)) == 1
    assert len(of(here, "reused", first)) == 1


def test_a_build_is_asked_for_started_and_finished_once(here, hello):
    build = newest(here, "hello")["build"]
    counts = {type: len(of(here, type, build)) for type in ("asked", "started", "finished")}
    assert counts == {"asked": 1, "started": 1, "finished": 1}


def test_a_server_killed_while_it_builds_tells_it_once(here, hello):
    (hello / "perron.toml").write_text(PRINTS.replace("echo token", "sleep 3\necho token"))
    deploy(here, hello, "-a", "hello", "--detach")
    wait_until(lambda: newest_job(here), what="the build runs")
    before = here.pid("serve")
    here.kill("serve")
    wait_until(lambda: here.pid("serve") not in (None, before), what="the server is back")
    wait_until(lambda: here.perron("apps", check=False).returncode == 0)
    wait_until(lambda: newest(here, "hello")["state"] == "live", 40, "it is live")
    build = newest(here, "hello")["build"]
    counts = {type: len(of(here, type, build)) for type in ("asked", "started", "finished")}
    assert counts == {"asked": 1, "started": 1, "finished": 1}


def newest_job(here):
    newest_release = newest(here, "hello")
    started = events(here, "perron.build.started.v1")
    return newest_release["state"] == "asked" and len(started) == 3


def test_a_build_that_the_machine_lost_is_made_again(here, hello):
    build = newest(here, "hello")["build"]
    (hello / "perron.toml").write_text(PRINTS)
    deploy(here, hello, "-a", "hello")
    shutil.rmtree(here.home / "node" / "builds" / build)
    number = newest(here, "hello")["number"]
    done = here.perron("rollback", str(number - 1), "-a", "hello", "--yes")
    assert newest(here, "hello")["build"] == build
    assert here.status("hello.localhost") == 200
    assert artefact(here, build).is_dir()
    assert "lost" in done.stderr
    assert len(of(here, "finished", build)) == 2


@pytest.mark.parametrize(("wanted", "starts"), [(">=3.12", "3.1"), ("==3.12.*", "3.12.")])
def test_a_python_from_a_private_home_is_used(here, wanted, starts):
    if not any(f"/{starts}" in each for each in offered_pythons().split(":")):
        pytest.skip(f"no Python {starts} here")
    folder = here.folder / f"py{starts.replace('.', '')}{len(wanted)}"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "a"\nversion = "1"\nrequires-python = "{wanted}"\n'
    )
    (folder / "app.py").write_text(VERSION)
    (folder / "Procfile").write_text("web: python app.py\n")
    deploy(here, folder, "-a", "private", "--create")
    version = here.ask("private.localhost")[1].decode()
    assert version.startswith(starts)
    assert tuple(map(int, version.split(".")[:2])) >= (3, 12)


VERSION = """
import http.server, os, platform


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = platform.python_version().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


def test_a_python_that_is_not_here_is_refused_with_what_is(here):
    folder = here.folder / "future"
    folder.mkdir()
    (folder / "requirements.txt").write_text("flask\n")
    (folder / ".python-version").write_text("3.99\n")
    (folder / "app.py").write_text("from flask import Flask\napp = Flask('x')\n")
    refused = deploy(here, folder, "-a", "future", "--create", check=False)
    assert refused.returncode != 0
    assert "needs Python" in refused.stderr
    assert "Install one and run `perron doctor`" in refused.stderr


def test_a_node_that_is_not_here_is_fetched_and_runs(here):
    folder = here.folder / "node22"
    folder.mkdir()
    package = {"name": "n", "version": "1.0.0", "engines": {"node": ">=22"}}
    package["scripts"] = {"start": "node server.js", "build": "node --version > built-with"}
    package["dependencies"], package["devDependencies"] = {"ms": "2.1.3"}, {"is-odd": "3.0.1"}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "server.js").write_text(
        "const read = require('fs').readFileSync, one = require('ms')('1s')\n"
        "const said = () => `${process.versions.node} ${one} ${read('built-with')}`\n"
        "const server = require('http').createServer((q, a) => a.end(said()))\n"
        "server.listen(process.env.PORT, '127.0.0.1')\n"
    )
    deploy(here, folder, "-a", "node22", "--create")
    version, one, built_with = here.ask("node22.localhost")[1].decode().split()
    assert int(version.split(".")[0]) >= 22
    assert (one, built_with) == ("1000", f"v{version}")
