"""A whole backup, and a platform that comes up from it on an empty machine."""

import shutil

import pytest

from tools.rig import Platform
from tools.rig.platform import wait_until

APP = """
import http.server, os
KEPT = "/data/kept"
class Visited(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/put":
            open(KEPT, "w").write("kept")
        text = (open(KEPT).read() if os.path.exists(KEPT) else "empty") + os.environ["SECRET"]
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
http.server.HTTPServer(("", int(os.environ["PORT"])), Visited).serve_forever()
"""


@pytest.fixture
def here():
    made = Platform()
    try:
        made.up()
        folder = made.app("hello")
        (folder / "server.py").write_text(APP)
        (folder / "perron.toml").write_text('[volumes.data]\nmount = "/data"\nsize = "10M"\n')
        made.perron("apps", "create", "hello")
        made.perron("config", "set", "-a", "hello", "SECRET=42")
        made.perron("deploy", str(folder), "-a", "hello")
        assert made.ask("hello.localhost", "/put") == (200, b"kept42")
        yield made
    finally:
        made.close()


def refused(made, *words):
    done = made.perron("platform", "restore", *words, check=False)
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_apps_come_up_again_with_their_data_on_an_empty_machine(here):
    folder, keys = here.folder / "backup", here.folder / "keys.json"
    here.perron("platform", "backup", "--to", str(folder), "--keys", str(keys), "--volumes")
    assert keys.stat().st_mode & 0o777 == 0o600
    assert not any("key" in each.name for each in folder.rglob("*"))
    assert "--replace" in refused(here, str(folder), "--keys", str(keys))
    here.perron("platform", "destroy", "--yes", "p")

    assert "--keys FILE" in refused(here, str(folder))
    other = here.folder / "other.json"
    other.write_text(keys.read_text().replace("A", "B"))
    assert "are not those of this backup" in refused(here, str(folder), "--keys", str(other))
    damaged = here.folder / "damaged"
    shutil.copytree(folder, damaged)
    part = next((damaged / "builds").iterdir())
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    assert f"builds/{part.name} has another checksum" in refused(
        here, str(damaged), "--keys", str(keys)
    )
    assert not here.home.exists(), "what is refused changes nothing"

    here.perron("platform", "restore", str(folder), "--keys", str(keys))
    here.up()
    wait_until(lambda: here.status("hello.localhost") == 200, 60)
    assert here.ask("hello.localhost") == (200, b"kept42")
    assert [each["name"] for each in here.json("apps")] == ["hello"]
    assert here.json("status")["instances"] == {"healthy": 1}
