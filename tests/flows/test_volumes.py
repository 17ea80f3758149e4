"""Volumes on a real platform: made by command or by perron.toml, and outliving everything."""

import io
import subprocess
import tarfile
import time

import pytest

from tools.rig.platform import BIN, wait_until

SERVER = """
import http.server, os, pathlib

DATA = pathlib.Path("/data")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        there = DATA.joinpath(name).read_text() if name else os.environ["PERRON_RELEASE"]
        self.answer(there)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        DATA.joinpath(self.path.strip("/")).write_text(body)
        self.answer("kept")

    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
TOML = '[volumes.data]\nmount = "/data"\nsize = "64M"\n'
PROCFILE = "web: python3 server.py\nrelease: date >> /data/released\n"
HOST = "keeper.localhost"


@pytest.fixture(scope="module")
def keeper(here):
    folder = here.folder / "keeper"
    folder.mkdir()
    (folder / "server.py").write_text(SERVER)
    (folder / "Procfile").write_text(PROCFILE)
    (folder / "perron.toml").write_text(TOML)
    here.perron("deploy", str(folder), "-a", "keeper", "--create")
    return folder


def volumes(here):
    return {each["name"]: each for each in here.json("volumes", "-a", "keeper")}


def read(here, name):
    return here.ask(HOST, f"/{name}")[1].decode()


def test_a_volume_of_perron_toml_is_there_for_release_command_instance_and_run(here, keeper):
    assert (volumes(here)["data"]["mount"], volumes(here)["data"]["size"]) == ("/data", 64 << 20)
    assert len(read(here, "released").splitlines()) == 1
    here.ask(HOST, "/song", "PUT", b"tew tew")
    assert here.perron("run", "-a", "keeper", "--", "cat", "/data/song").stdout == "tew tew"
    here.perron("run", "-a", "keeper", "--", "sh", "-c", "echo nest > /data/made-by-run")
    assert read(here, "made-by-run") == "nest\n"


def test_it_outlives_redeploy_restart_rollback_and_the_death_of_everything(here, keeper):
    (keeper / "words").write_text("another release\n")
    here.perron("deploy", str(keeper), "-a", "keeper")
    assert (read(here, ""), read(here, "song")) == ("2", "tew tew")
    here.perron("restart", "-a", "keeper")
    assert read(here, "song") == "tew tew"
    here.perron("rollback", "1", "-a", "keeper", "--yes")
    assert (read(here, ""), read(here, "song")) == ("3", "tew tew")
    here.perron("down", "--apps")
    here.perron("up")
    wait_until(lambda: here.status(HOST) == 200, 30)
    assert read(here, "song") == "tew tew"
    assert len(read(here, "released").splitlines()) == 3


def test_a_volume_made_by_command_is_mounted_by_what_starts_next(here, keeper):
    here.perron("volumes", "create", "extra", "--mount", "/extra", "--size", "8M", "-a", "keeper")
    again = here.perron(
        "volumes", "create", "extra", "--mount", "/else", "--size", "8M", "-a", "keeper",
        check=False,
    )  # fmt: skip
    assert again.returncode != 0
    assert "/extra" in again.stderr
    here.perron("restart", "-a", "keeper")
    (name,) = [each["name"] for each in here.json("ps", "-a", "keeper")]
    done = here.perron(
        "exec", "-a", "keeper", name, "--", "sh", "-c", "echo e > /extra/e; ls /extra"
    )
    assert done.stdout.split() == ["e"]


def test_how_full_it_is_gets_known(here, keeper):
    here.ask(HOST, "/big", "PUT", b"x" * 2_000_000)
    wait_until(lambda: (volumes(here)["data"]["used"] or 0) >= 2_000_000, 70, "it was measured")
    assert volumes(here)["data"]["quota"] in ("enforced", "watched")


def test_its_files_are_downloaded_and_uploaded(here, keeper):
    target = here.folder / "data.tar.gz"
    here.perron("volumes", "download", "data", "--output", str(target), "-a", "keeper")
    with tarfile.open(target) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    assert {"song", "released", "big"} <= names
    sent = here.folder / "sent.tar.gz"
    with tarfile.open(sent, "w:gz") as archive:
        entry = tarfile.TarInfo("song")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"chirp"))
    here.perron("volumes", "upload", "data", str(sent), "--yes", "-a", "keeper")
    assert read(here, "song") == "chirp"
    assert len(read(here, "big")) == 2_000_000
    here.ask(HOST, "/song", "PUT", b"still the app's to write")
    assert read(here, "song") == "still the app's to write"


def test_an_archive_that_leads_out_of_it_changes_nothing(here, keeper):
    sent = here.folder / "evil.tar.gz"
    with tarfile.open(sent, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../escaped"))
    refused = here.perron(
        "volumes", "upload", "data", str(sent), "--yes", "-a", "keeper", check=False
    )
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert not list(here.home.rglob("escaped"))


def test_a_snapshot_is_kept_beside_it(here, keeper):
    here.perron("volumes", "snapshot", "data", "-a", "keeper")
    (kept,) = volumes(here)["data"]["snapshots"]
    (file,) = (here.home / "node" / "snapshots").rglob(f"{kept}.tar.gz")
    with tarfile.open(file) as archive:
        assert "song" in {name.removeprefix("./") for name in archive.getnames()}


def test_a_snapshot_is_put_back_and_what_was_there_is_kept(here, keeper):
    here.ask(HOST, "/song", "PUT", b"as it was")
    here.perron("volumes", "snapshot", "data", "-a", "keeper")
    snapshot = here.json("volumes", "snapshots", "data", "-a", "keeper")[0]["name"]
    here.ask(HOST, "/song", "PUT", b"a mistake")
    here.ask(HOST, "/later", "PUT", b"made later")
    words = ("volumes", "restore", "data", snapshot, "-a", "keeper")
    for refused in (
        here.perron(*words, check=False),
        here.perron(*words, "--yes", "d", check=False),
    ):
        assert refused.returncode
        assert "Every file in data" in refused.stderr
        assert "web stops for it and starts again" in refused.stderr
    assert read(here, "song") == "a mistake", "nothing was changed"
    done = here.perron(*words, "--yes", "data")
    wait_until(lambda: here.status(HOST) == 200, 30)
    assert read(here, "song") == "as it was"
    assert here.status(HOST, "/later") != 200
    here.ask(HOST, "/song", "PUT", b"still the app's to write")
    kept = done.stderr.split("are kept: ")[1].split()[0]
    assert kept == here.json("volumes", "snapshots", "data", "-a", "keeper")[0]["name"]
    (file,) = (here.home / "node" / "snapshots").rglob(f"{kept}.tar.gz")
    with tarfile.open(file) as archive:
        assert archive.extractfile("song").read() == b"a mistake"
    restored = here.json("audit", "list", "--type", "volume.restored")
    assert [each["data"] for each in restored] == [
        {"name": "data", "snapshot": snapshot, "kept": kept}
    ]


def test_it_is_not_put_back_while_anything_has_it_mounted_nor_from_nothing(here, keeper):
    path = "/v1/apps/keeper/environments/production/volumes/data/snapshots"
    snapshot = here.json("volumes", "snapshots", "data", "-a", "keeper")[0]["name"]
    mounted = here.perron("api", "POST", f"{path}/{snapshot}/restore?confirm=data", check=False)
    assert "mounted by web: first perron stop" in mounted.stdout + mounted.stderr
    unsaid = here.perron("api", "POST", f"{path}/{snapshot}/restore", check=False)
    assert "say confirm=data" in unsaid.stdout + unsaid.stderr
    here.perron("stop", "-a", "keeper")
    job = subprocess.Popen(
        [str(BIN / "perron"), "run", "-a", "keeper", "--", "sh", "-c", "echo ready; sleep 300"],
        env=here.environment, cwd=here.folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert job.stdout.readline() == "ready\n"
    busy = here.perron("api", "POST", f"{path}/{snapshot}/restore?confirm=data", check=False)
    assert "has data mounted and may write to it" in busy.stdout + busy.stderr
    job.terminate()
    job.wait(20)
    nothing = here.perron("volumes", "restore", "data", "2020", "--yes", "data", "-a", "keeper",
                          check=False)  # fmt: skip
    assert nothing.returncode
    here.perron("start", "-a", "keeper")
    wait_until(lambda: here.status(HOST) == 200, 30)
    assert read(here, "song") == "still the app's to write"


def test_it_is_destroyed_by_name_only_and_while_nothing_has_it_mounted(here, keeper):
    nameless = here.perron("volumes", "destroy", "data", "-a", "keeper", check=False)
    wrong = here.perron("volumes", "destroy", "data", "--yes", "date", "-a", "keeper", check=False)
    mounted = here.perron(
        "volumes", "destroy", "data", "--yes", "data", "-a", "keeper", check=False
    )
    assert 0 not in (nameless.returncode, wrong.returncode, mounted.returncode)
    assert "stop" in mounted.stderr
    assert set(volumes(here)) == {"data", "extra"}
    here.perron("stop", "-a", "keeper")
    here.perron("volumes", "destroy", "data", "--yes", "data", "-a", "keeper")
    assert set(volumes(here)) == {"extra"}
    assert not list((here.home / "node" / "volumes").glob("*/data"))
    assert not list((here.home / "node" / "snapshots").glob("*/data"))


def test_nothing_is_left_of_the_volumes_of_a_destroyed_app(here, keeper):
    here.perron("apps", "destroy", "keeper", "--yes", "keeper")
    end = time.monotonic() + 10
    while left := [*(here.home / "node" / "volumes").glob("*/*")]:
        assert time.monotonic() < end, left
        time.sleep(0.05)
