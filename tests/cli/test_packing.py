import os
import shutil
import socket
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perron.cli import packing
from perron.cli.exits import Stop


def put(folder, **files):
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def names(folder):
    members, _ = packing.collect(folder)
    return [each.path for each in members]


def test_the_same_content_gives_the_same_archive(tmp_path):
    one = put(tmp_path / "one", **{"b/c": "1", "a": "2"})
    (one / "run.sh").write_text("#!/bin/sh\n")
    (one / "run.sh").chmod(0o700)
    (one / "link").symlink_to("b/c")
    two = tmp_path / "two"
    shutil.copytree(one, two, symlinks=True)
    os.utime(two / "a", (1, 1))
    (two / "a").chmod(0o600)
    with packing.packed(one) as first, packing.packed(two) as second:
        assert first.archive.read_bytes() == second.archive.read_bytes()
        with tarfile.open(first.archive) as archive:
            told = {each.name: each for each in archive}
    assert list(told) == ["a", "b/c", "link", "run.sh"]
    assert (told["a"].mode, told["run.sh"].mode) == (0o644, 0o755)
    assert {(each.mtime, each.uid, each.uname) for each in told.values()} == {(0, 0, "")}


def test_ignore_files_count_where_they_are(tmp_path):
    put(
        tmp_path,
        **{
            ".gitignore": "*.log\n/dist/\n!keep.log\n",
            "web/.gitignore": "/cache\n!*.log\n",
            "a.log": "", "keep.log": "", "web/b.log": "", "web/cache/x": "", "dist/x": "",
            "web/dist/x": "", "app.py": "",
        },
    )  # fmt: skip
    assert names(tmp_path) == [
        ".gitignore", "app.py", "keep.log", "web/.gitignore", "web/b.log", "web/dist/x"
    ]  # fmt: skip


def test_perronignore_has_the_last_word(tmp_path):
    put(tmp_path, **{".gitignore": "dist/\n", ".perronignore": "!dist/\ntests/\n",
                     "dist/x": "", "tests/t": "", "a": ""})  # fmt: skip
    assert names(tmp_path) == [".gitignore", ".perronignore", "a", "dist/x"]


def test_the_repository_around_a_folder_is_heard_too(tmp_path):
    put(tmp_path, **{".git/HEAD": "", ".gitignore": "*.tmp\n/apps/shop/out\n",
                     "apps/shop/a": "", "apps/shop/b.tmp": "", "apps/shop/out/x": ""})  # fmt: skip
    assert names(tmp_path / "apps" / "shop") == ["a"]


def test_some_things_never_go_along(tmp_path):
    put(tmp_path, **{"a": "", ".git/HEAD": "", "node_modules/x": "", ".venv/x": "",
                     "b/__pycache__/x": "", "x.pyc": ""})  # fmt: skip
    assert names(tmp_path) == ["a"]


def test_env_files_stay_at_home_and_are_named(tmp_path):
    put(tmp_path, **{"a": "", ".env": "", "b/.env.production.local": "", ".env.example": ""})
    members, kept = packing.collect(tmp_path)
    assert [each.path for each in members] == [".env.example", "a"]
    assert kept == [".env", "b/.env.production.local"]
    put(tmp_path, **{".perronignore": "!.env\n"})
    assert ".env" in names(tmp_path)


@pytest.mark.parametrize("target", ["/etc/passwd", "../out", "in/../../out", "loop"])
def test_a_link_that_leaves_the_folder_is_refused_by_name(tmp_path, target):
    folder = put(tmp_path / "x", a="")
    if target == "loop":
        (folder / "hop").symlink_to("..")
        target = "hop/out"
    (folder / "bad").symlink_to(target)
    with pytest.raises(Stop, match=r"(bad|hop) is a link to .* leaves the folder") as why:
        packing.collect(folder)
    assert why.value.code == 5


def test_a_link_that_stays_inside_goes_along(tmp_path):
    put(tmp_path, **{"a/b": "", "c/d": ""})
    (tmp_path / "c" / "link").symlink_to("../a/b")
    assert "c/link" in names(tmp_path)


def test_a_socket_of_a_running_program_is_left_out(tmp_path):
    put(tmp_path, a="")
    with socket.socket(socket.AF_UNIX) as plug:
        here = os.getcwd()
        os.chdir(tmp_path)
        plug.bind("s.sock")
        os.chdir(here)
    assert names(tmp_path) == ["a"]


def test_names_that_no_archive_should_carry_are_refused(tmp_path):
    put(tmp_path, **{"a": "", "b\nc": ""})
    with pytest.raises(Stop, match="line break"):
        packing.collect(tmp_path)
    (tmp_path / "b\nc").unlink()
    (tmp_path / os.fsdecode(b"b\xff")).write_text("")
    with pytest.raises(Stop, match="not UTF-8"):
        packing.collect(tmp_path)


def test_nothing_is_not_deployed(tmp_path):
    with pytest.raises(Stop, match="nothing to deploy"):
        packing.collect(tmp_path)


def test_a_folder_that_is_too_large_names_what_weighs_most(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "LIMIT", 10_000)
    (tmp_path / "media" / "films").mkdir(parents=True)
    (tmp_path / "media" / "films" / "a").write_bytes(os.urandom(60_000))
    (tmp_path / "b").write_text("b")
    with (
        pytest.raises(Stop, match=r"too large.*media/films/ 59 KB") as why,
        packing.packed(tmp_path),
    ):
        pass
    assert ".perronignore" in why.value.next


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text("abc/", min_size=1, max_size=6), st.binary(max_size=20)))
def test_what_is_packed_is_what_was_there(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("x")
    wanted = {}
    for path, content in files.items():
        clean = "/".join(part for part in path.split("/") if part)
        target = folder / clean
        if not clean or target.exists() or any(each.is_file() for each in target.parents):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        wanted[clean] = content
    if not wanted:
        return
    with packing.packed(folder) as pack, tarfile.open(pack.archive) as archive:
        assert {each.name: archive.extractfile(each).read() for each in archive} == wanted
