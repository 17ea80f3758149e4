"""A volume's files as an archive: nothing of a hostile one leads out."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from perron.agent.volumes import files
from perron.agent.volumes.model import ArchiveRefused, VolumeNameRefused, checked_name

UID = 171_900 if os.geteuid() == 0 else os.getuid()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "parent" / "data"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder, UID, UID)
    return folder


def archive_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def a_file(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


def a_link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member


def test_what_goes_in_comes_out_and_belongs_to_the_app(volume: Path, tmp_path: Path) -> None:
    given = archive_of(tmp_path / "in.tar", (a_file("a/b.txt"), b"hello"), (a_link("l", "a"), b""))
    files.unpack(given, volume, UID)
    assert (volume / "a" / "b.txt").read_text() == "hello"
    assert (volume / "a" / "b.txt").stat().st_uid == UID
    fetched = io.BytesIO(b"".join(files.stream(volume, UID)))
    with tarfile.open(fileobj=fetched) as archive:
        assert archive.getnames() == ["a", "a/b.txt", "l"]


@pytest.mark.parametrize(
    "member",
    [
        a_file("../outside"),
        a_link("away", "/etc"),
        a_link("up", "../../.."),
        a_link("odd", "a/../../.."),
        a_link("odd", "a/.."),
        a_file("/etc/x"),
        a_file("a/" * 300 + "b"),
        a_file("a" * 300),
        a_link("hard", "/etc/passwd", tarfile.LNKTYPE),
        a_link("device", "", tarfile.CHRTYPE),
        a_link("pipe", "", tarfile.FIFOTYPE),
    ],
)
def test_what_leads_out_is_refused(member: tarfile.TarInfo, volume: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="may not"):
        files.unpack(archive_of(tmp_path / "in.tar", (member, b"")), volume, UID)
    assert list(volume.parent.iterdir()) == [volume]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could be led astray")
def test_a_link_the_app_made_leads_nobody_where_it_may_not_go(volume: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "secret").write_text("s3cr3t")
    (volume / "way").symlink_to(private)
    given = archive_of(tmp_path / "in.tar", (a_file("way/planted"), b"x"))
    with pytest.raises((ArchiveRefused, OSError)):
        files.unpack(given, volume, UID)
    assert [each.name for each in private.iterdir()] == ["secret"]
    assert b"s3cr3t" not in b"".join(files.stream(volume, UID))


def test_links_of_an_archive_lead_nowhere_together(volume: Path, tmp_path: Path) -> None:
    given = archive_of(
        tmp_path / "in.tar", (a_link("d", "."), b""), (a_link("up", "d/d/d/../../.."), b"")
    )
    with pytest.raises(ArchiveRefused, match="'up' leads to"):
        files.unpack(given, volume, UID)
    given = archive_of(tmp_path / "in.tar", (a_link("l", "."), b""), (a_file("l/x"), b"x"))
    with pytest.raises(ArchiveRefused, match="'l/x' cannot be placed"):
        files.unpack(given, volume, UID)
    assert list(volume.parent.iterdir()) == [volume]


def test_a_link_in_the_way_is_replaced_and_not_followed(volume: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (volume / "x").symlink_to(outside)
    files.unpack(archive_of(tmp_path / "in.tar", (a_file("x"), b"new")), volume, UID)
    assert (volume / "x").read_text() == "new"
    assert outside.read_text() == "mine"


def test_half_an_archive_is_refused(volume: Path, tmp_path: Path) -> None:
    given = archive_of(tmp_path / "in.tar", (a_file("a"), b"x" * 100_000))
    given.write_bytes(given.read_bytes()[:50_000])
    with pytest.raises(ArchiveRefused, match="whole tar archive"):
        files.unpack(given, volume, UID)


def test_a_file_with_two_names_is_measured_once(volume: Path) -> None:
    (volume / "a").write_bytes(b"x" * 40_960)
    os.link(volume / "a", volume / "b")
    assert 40_960 <= files.measure(volume) < 81_920


def test_a_folder_goes_whatever_its_rights(volume: Path) -> None:
    (volume / "locked").mkdir()
    (volume / "locked" / "file").write_text("x")
    (volume / "locked").chmod(0)
    files.remove(volume)
    assert not volume.exists()


@pytest.mark.parametrize("name", ["..", "a/b", "", "Data", "-a", "a" * 40, "ä"])
def test_a_name_that_is_no_folder_of_ours_is_refused(name: str) -> None:
    with pytest.raises(VolumeNameRefused, match="cannot be called"):
        checked_name(name)
