"""Sources that mean harm."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from perron.agent.builds import unpack, unpacking
from perron.kit.problems import Permanent

Member = tuple[str, bytes | str, dict[str, object]]


def archive(path: Path, *members: Member) -> Path:
    """Pack members: a name, its content or link target, and its other facts."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content, facts in members:
            member = tarfile.TarInfo(name)
            for fact, value in facts.items():
                setattr(member, fact, value)
            data = content if isinstance(content, bytes) else b""
            member.size = len(data)
            member.linkname = content if isinstance(content, str) else ""
            tar.addfile(member, io.BytesIO(data))
    return path


def file(name: str, content: bytes = b"x", **facts: object) -> Member:
    return name, content, facts


def link(name: str, target: str) -> Member:
    return name, target, {"type": tarfile.SYMTYPE}


def hard(name: str, target: str) -> Member:
    return name, target, {"type": tarfile.LNKTYPE}


def device(name: str) -> Member:
    return name, b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ([file("../evil")], "leads out"),
        ([file("a/../../evil")], "leads out"),
        ([file("/etc/evil")], "leads out"),
        ([link("out", "/etc")], "leads out"),
        ([link("a/out", "../../etc")], "leads out"),
        ([link("in", "."), link("in/deep", "a")], "behind a link"),
        ([link("way", "sub"), file("way/evil")], "twice"),
        ([hard("h", "../evil")], "leads out"),
        ([hard("h", "missing")], "link to nothing"),
        ([link("s", "a"), hard("h", "s")], "link to a link"),
        ([device("null")], "no file, folder or link"),
        ([("pipe", b"", {"type": tarfile.FIFOTYPE})], "no file, folder or link"),
        ([file("a"), file("a")], "twice"),
    ],
)
def test_what_leads_out_of_its_folder_is_refused(
    tmp_path: Path, members: list[Member], told: str
) -> None:
    packed = archive(tmp_path / "a.tar.gz", *members)
    with pytest.raises(Permanent, match=told):
        unpack(packed, tmp_path / "inner" / "app")
    assert [each.name for each in tmp_path.iterdir() if each.name == "evil"] == []
    assert not (tmp_path / "inner" / "evil").exists()


def test_sound_sources_arrive_as_they_are(tmp_path: Path) -> None:
    packed = archive(
        tmp_path / "a.tar.gz",
        file("./bin/run", b"#!/bin/sh\n", mode=0o4755),
        file("data/café.txt", b"data", mode=0o600),
        link("data/link", "../bin/run"),
        hard("again", "data/café.txt"),
        ("empty", b"", {"type": tarfile.DIRTYPE, "mode": 0o777}),
    )
    app = tmp_path / "app"
    unpack(packed, app)
    assert (app / "bin/run").stat().st_mode & 0o7777 == 0o755
    assert (app / "data/link").read_bytes() == b"#!/bin/sh\n"
    assert (app / "again").read_bytes() == b"data"
    assert (app / "empty").is_dir()


def test_there_are_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive(tmp_path / "bomb.tar.gz", file("zeros", bytes(8 << 20)))
    with pytest.raises(Permanent, match="more than 1 MiB"):
        unpack(bomb, tmp_path / "a", most_bytes=1 << 20)
    monkeypatch.setattr(unpacking, "MOST_FILES", 3)
    many = archive(tmp_path / "many.tar.gz", *(file(str(n)) for n in range(4)))
    with pytest.raises(Permanent, match="more than 3 files"):
        unpack(many, tmp_path / "b")


@pytest.mark.parametrize("broken", [lambda data: data[:40], lambda data: b"no archive" + data])
def test_half_an_archive_is_refused(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    whole = archive(tmp_path / "a.tar.gz", file("a", bytes(100_000)))
    whole.write_bytes(broken(whole.read_bytes()))
    with pytest.raises(Permanent, match="not a whole tar"):
        unpack(whole, tmp_path / "app")
