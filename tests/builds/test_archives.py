"""Uploaded archives are hostile until looked through."""

import gzip
import io
import os
import tarfile

import pytest

from perron import builds
from perron.builds.model.source import MAX_FILES, SourceTooLarge
from perron.builds.service import archive
from perron.builds.service.upload import Upload, contents_path, source_path
from perron.kit.files import DiskFull
from perron.kit.settings import Home, Settings

SETTINGS = Settings(max_source=1 << 20, disk_reserve=0)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def member(name, text="", kind=tarfile.REGTYPE, link="", size=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(text) if size is None else size
    return info, text.encode()


def packed(*members, encoding="utf-8"):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", encoding=encoding, errors="surrogateescape") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), 1)


def keep(home, content, settings=SETTINGS):
    pieces = (content[at : at + 7000] for at in range(0, len(content), 7000))
    return builds.keep_source(home, settings, pieces)


def folder_of(home):
    return sorted(path.name for path in home.sources.iterdir())


GOOD = packed(
    member("./", kind=tarfile.DIRTYPE),
    member("./app.py", "print(1)"),
    member("lib/", kind=tarfile.DIRTYPE),
    member("lib/deep/näme.txt", "x"),
    member("lib/link", kind=tarfile.SYMTYPE, link="../app.py"),
    member("again.py", kind=tarfile.LNKTYPE, link="app.py"),
)

REFUSED = {
    "absolute": (packed(member("/etc/passwd", "x")), "absolute path"),
    "above": (packed(member("../up", "x")), "leaves the source"),
    "above inside": (packed(member("a/../../up", "x")), "leaves the source"),
    "dots inside": (packed(member("a/../b", "x")), "leaves the source"),
    "link out": (packed(member("l", kind=tarfile.SYMTYPE, link="../x")), "outside the source"),
    "link to root": (packed(member("l", kind=tarfile.SYMTYPE, link="/etc")), "outside the source"),
    "link out and in": (
        packed(member("a/l", kind=tarfile.SYMTYPE, link="../../s/x")),
        "outside the source",
    ),
    "empty link": (packed(member("l", kind=tarfile.SYMTYPE, link="")), "outside the source"),
    "hard link out": (packed(member("h", kind=tarfile.LNKTYPE, link="a")), "not a file before it"),
    "hard link away": (
        packed(member("h", kind=tarfile.LNKTYPE, link="/etc/passwd")),
        "absolute path",
    ),
    "through a link": (
        packed(member("l", kind=tarfile.SYMTYPE, link="d"), member("l/x", "x")),
        "lies inside 'l', which is not a folder",
    ),
    "through a file": (packed(member("f", "x"), member("f/x", "x")), "which is not a folder"),
    "file over folder": (packed(member("f/x", "x"), member("f", "x")), "twice"),
    "twice": (packed(member("f", "x"), member("./f", "x")), "'f' is in the archive twice"),
    "device": (packed(member("d", kind=tarfile.CHRTYPE)), "is a character device"),
    "block device": (packed(member("d", kind=tarfile.BLKTYPE)), "is a block device"),
    "pipe": (packed(member("p", kind=tarfile.FIFOTYPE)), "is a named pipe"),
    "newline": (packed(member("a\nb", "x")), "control characters"),
    "escape": (packed(member("a\x1b[2Jb", "x")), "control characters"),
    "not utf-8": (packed(member("a\udcffb", "x")), "not UTF-8"),
    "long": (packed(member("a" * 300, "x")), "a part longer than 255 bytes"),
    "very long": (packed(member("a/" * 600 + "b", "x")), "longer than 1,024 bytes"),
    "empty": (packed(), "has no files"),
    "folders only": (packed(member("d/", kind=tarfile.DIRTYPE)), "has no files"),
    "no gzip": (b"PK\x03\x04 a zip file", "not a whole tar.gz archive"),
    "nothing": (b"", "not a whole tar.gz archive"),
    "cut": (GOOD[:-20], "not a whole tar.gz archive"),
    "no tar": (gzip.compress(b"hello" * 400), "not a whole tar.gz archive"),
}


def test_a_good_archive_is_kept_under_its_digest(home):
    source = keep(home, GOOD)
    assert source_path(home, source.digest).read_bytes() == GOOD
    assert (source.size, source.files) == (len(GOOD), 6)
    contents = archive.Contents.from_json(contents_path(home, source.digest).read_text())
    assert contents.files == ("app.py", "lib/deep/näme.txt", "again.py")
    assert contents.texts["app.py"] == "print(1)"


def test_the_same_archive_again_is_the_same_source(home):
    assert keep(home, GOOD) == keep(home, GOOD)
    assert len(folder_of(home)) == 2


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_safe_is_refused_and_leaves_nothing(home, name):
    content, reason = REFUSED[name]
    with pytest.raises(builds.SourceRefused) as refused:
        keep(home, content)
    assert reason in refused.value.detail
    assert refused.value.status == 422
    assert folder_of(home) == []


def test_a_bomb_is_refused_before_it_is_unpacked(home):
    bomb = packed(member("zeros", "\0" * (6 << 20)))
    with pytest.raises(SourceTooLarge, match="Unpacked, the source is larger than 4 MB"):
        keep(home, bomb)


def test_a_header_that_would_fill_the_memory_is_refused(home):
    bomb = packed(member("x", "\0" * (3 << 20), kind=tarfile.XHDTYPE), member("f", "x"))
    with pytest.raises(builds.SourceRefused, match="A header of the archive is"):
        keep(home, bomb)


def test_too_many_files_are_refused(home):
    many = packed(*(member(f"f{number}") for number in range(MAX_FILES + 1)))
    with pytest.raises(SourceTooLarge, match="more than 50,000 files") as refused:
        keep(home, many, Settings(max_source=1 << 30, disk_reserve=0))
    assert refused.value.status == 413


def test_too_many_bytes_are_refused_while_they_arrive(home):
    with pytest.raises(SourceTooLarge, match="larger than 1 MB") as refused:
        keep(home, os.urandom(2 << 20))
    assert refused.value.facts["limit"] == 1 << 20
    assert folder_of(home) == []


def test_an_announced_size_is_refused_before_anything_arrives(home):
    with pytest.raises(SourceTooLarge):
        Upload(home, SETTINGS, announced=2 << 20)
    assert folder_of(home) == []


def test_a_full_disk_refuses_a_source(home):
    with pytest.raises(DiskFull):
        Upload(home, Settings(disk_reserve=1 << 60), announced=10)


def test_a_lost_note_is_made_again_from_the_archive(home):
    from perron.builds.service.sources import contents_of

    digest = keep(home, GOOD).digest
    before = contents_of(home, SETTINGS, digest)
    contents_path(home, digest).write_text("{half")
    assert contents_of(home, SETTINGS, digest) == before
    assert archive.read_one(source_path(home, digest), "lib/deep/näme.txt") == "x"
