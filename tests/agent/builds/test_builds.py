"""Results and layers: whole or not there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from perron.agent.builds import Builds, remove
from perron.contract.node import BuildPlan, Layer
from perron.kit.problems import Permanent
from perron.kit.settings import Home, Settings


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Builds]:
    yield Builds(Home(tmp_path), Settings())
    remove(tmp_path / "node")


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


SHARED = BuildPlan(layer=Layer(key="k", folder=".venv", steps=[]), path=["/app/bin"], read=["/opt"])


def test_a_kept_build_is_found_by_another_agent(builds: Builds, tmp_path: Path) -> None:
    builds.keep_layer("k", folder(tmp_path / "w" / ".venv", lib="x" * 10_000))
    kept = builds.keep("b1", SHARED, folder(tmp_path / "w" / "app", a="a"))
    found = Builds(Home(tmp_path), Settings()).find("b1")
    assert found == kept
    assert [(each.target, each.writable) for each in kept.mounts] == [
        ("/app/.venv", False),
        ("/opt", False),
    ]
    assert kept.path == ("/app/bin",)
    assert kept.size >= 10_000
    assert (kept.app / ".venv").is_dir()
    assert builds.names() == ["b1"]


def test_half_a_build_is_none(builds: Builds, tmp_path: Path) -> None:
    builds.keep_layer("k", folder(tmp_path / "w" / ".venv", lib="x"))
    kept = builds.keep("b1", SHARED, folder(tmp_path / "w" / "app", a="a"))
    half = folder(tmp_path / "node" / "builds" / ".b2.new" / "app", a="a").parent
    layer = folder(tmp_path / "node" / "layers" / ".l.new")
    again = Builds(Home(tmp_path), Settings())
    assert again.find("b2") is None
    assert again.find("../builds/b1") is None
    again.tidy()
    assert not half.exists()
    assert not layer.exists()
    assert again.find("b1") == kept
    remove(tmp_path / "node" / "layers" / "k")
    assert Builds(Home(tmp_path), Settings()).find("b1") is None


def test_a_build_that_somebody_damaged_is_made_anew(builds: Builds, tmp_path: Path) -> None:
    builds.keep_layer("k", folder(tmp_path / "w" / ".venv", lib="x"))
    builds.keep("b1", SHARED, folder(tmp_path / "w" / "app", a="a"))
    remove(tmp_path / "node" / "layers" / "k")
    assert builds.find("b1") is None
    builds.keep_layer("k", folder(tmp_path / "v" / ".venv", lib="y"))
    remove(tmp_path / "node" / "builds" / "b1" / "app")
    assert builds.find("b1") is None
    kept = builds.keep("b1", SHARED, folder(tmp_path / "v" / "app", a="b"))
    assert (kept.app / "a").read_text() == "b"
    remove(tmp_path / "node" / "builds" / "b1" / "app")
    builds.drop("b1")
    assert builds.names() == []


def test_what_a_tenant_left_is_made_harmless(builds: Builds, tmp_path: Path) -> None:
    app = folder(tmp_path / "w" / "app", setuid="x", secret="y")
    (app / "setuid").chmod(0o6777)
    (app / "secret").chmod(0o000)
    (app / "out").symlink_to("/etc/passwd")
    os.mkfifo(app / "pipe")
    (app / "closed").mkdir(mode=0o000)
    before = Path("/etc/passwd").stat()
    kept = builds.keep("b1", BuildPlan(), app)
    assert (kept.app / "setuid").stat().st_mode & 0o7777 == 0o555
    assert (kept.app / "secret").stat().st_mode & 0o7777 == 0o444
    assert (kept.app / "closed").stat().st_mode & 0o7777 == 0o555
    assert not (kept.app / "pipe").exists()
    assert Path("/etc/passwd").stat() == before
    for path in kept.app.rglob("*"):
        assert path.lstat().st_uid == os.geteuid()
        assert stat.S_ISLNK(path.lstat().st_mode) or not path.lstat().st_mode & 0o222


def test_a_layer_stays_while_a_build_in_the_making_needs_it(builds: Builds, tmp_path: Path) -> None:
    builds.hold("k")
    builds.keep_layer("k", folder(tmp_path / "w" / ".venv", lib="x"))
    builds.tidy()
    assert builds.layer("k")
    builds.keep("b1", SHARED, folder(tmp_path / "w" / "app", a="a"))
    builds.let_go("k")
    builds.tidy()
    assert builds.layer("k")
    builds.drop("b1")
    builds.drop("b1")
    assert builds.layer("k") is None
    assert builds.find("b1") is None


def test_names_that_lead_elsewhere_are_refused(builds: Builds, tmp_path: Path) -> None:
    app = folder(tmp_path / "w" / "app", a="a")
    for name in ("../x", ".hidden", "", "a/b"):
        with pytest.raises(Permanent):
            builds.keep(name, BuildPlan(), app)
        with pytest.raises(Permanent):
            builds.layer(name)
    (tmp_path / "w" / "link").symlink_to("/etc")
    with pytest.raises(Permanent, match="left no folder"):
        builds.keep_layer("k", tmp_path / "w" / "link")
