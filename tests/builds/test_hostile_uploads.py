"""Hostile archives through the API: each is refused by name, and nothing is left of it."""

import gzip
import io
import tarfile

import pytest

from perron.agent.builds import unpack
from perron.kit.problems import Permanent

from .test_archives import REFUSED, member, packed

PATH = "/v1/apps/shop/sources"
LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE


def sparse():
    """A file of a terabyte that takes no room, as GNU tar writes it."""
    info = tarfile.TarInfo("hollow")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o\0" % (1 << 32)
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return gzip.compress(bytes(head) + bytes(1024))


def noted(name, text, **facts):
    """A member whose facts stand in an extra header."""
    info, data = member(name, text)
    info.pax_headers = facts
    return info, data


def with_headers(count, size):
    """Headers that are large when unpacked, and small when sent."""
    return packed(*(noted(f"f{at}", "x", comment="c" * size) for at in range(count)))


MORE = {
    "link by way of a link": (
        packed(member("d", kind=LINK, link="."), member("up", kind=LINK, link="d/d/../..")),
        "'up'",
    ),
    "link up after a name": (packed(member("a/l", kind=LINK, link="b/../../x")), "'a/l'"),
    "nothing in a name": (packed(noted("x", "x", path="a\0b")), "a\\x00b"),
    "a hollow file": (sparse(), "'hollow' is a sparse file"),
    "a size below nothing": (packed(noted("x", "x", size="-1")), "'x'"),
    "a bomb": (packed(member("zeros", "\0" * (9 << 20))), "'zeros'"),
    "a hard link to a folder": (
        packed(member("d/", kind=tarfile.DIRTYPE), member("h", kind=HARD, link="d")),
        "'h' is a hard link",
    ),
    "a hard link to a link": (
        packed(member("l", kind=LINK, link="x"), member("h", kind=HARD, link="l")),
        "'h' is a hard link",
    ),
    "folder and file": (packed(member("a/", kind=tarfile.DIRTYPE), member("a", "x")), "'a' is"),
    "one large header": (with_headers(1, 300 << 10), "A header of the archive is"),
}
ALL = {name: (content, "") for name, (content, _) in REFUSED.items()} | MORE


@pytest.fixture
def http(shared_ground, monkeypatch):
    monkeypatch.setenv("PERRON_MAX_SOURCE", str(2 << 20))
    monkeypatch.setenv("PERRON_DISK_RESERVE", "0")
    return shared_ground.http()


def put(http, content):
    return http.put(PATH, content=content, headers={"Content-Type": "application/gzip"})


@pytest.mark.parametrize("what", ALL)
def test_a_hostile_archive_is_refused_and_nothing_is_left(shared_ground, http, what):
    content, told = ALL[what]
    answer = put(http, content)
    assert answer.status_code in (413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    assert (
        not shared_ground.home.sources.exists() or list(shared_ground.home.sources.iterdir()) == []
    )


@pytest.mark.parametrize("what", [each for each in MORE if "link" in each])
def test_what_got_past_the_door_is_not_unpacked_either(tmp_path, what):
    archive = tmp_path / "in.tar.gz"
    archive.write_bytes(MORE[what][0])
    with pytest.raises((Permanent, OSError)):
        unpack(archive, tmp_path / "out")
    links = [each for each in (tmp_path / "out").rglob("*") if each.is_symlink()]
    assert all(each.resolve().is_relative_to(tmp_path / "out") for each in links)


def test_a_hundred_thousand_files_are_refused(shared_ground, http, monkeypatch):
    monkeypatch.setenv("PERRON_MAX_SOURCE", str(64 << 20))
    head = bytearray(tarfile.TarInfo("f000000").tobuf(tarfile.USTAR_FORMAT))
    packing = io.BytesIO()
    with gzip.GzipFile(fileobj=packing, mode="wb", compresslevel=1) as plain:
        for number in range(100_000):
            head[1:7] = b"%06d" % number
            head[148:156] = b"        "
            head[148:156] = b"%06o\0 " % sum(head)
            plain.write(head)
        plain.write(bytes(1024))
    answer = put(http, packing.getvalue())
    assert answer.status_code == 413
    assert "more than 50,000 files" in answer.json()["detail"]
    assert list(shared_ground.home.sources.iterdir()) == []


def test_headers_that_are_small_together_only_when_sent_are_refused(shared_ground, http):
    content = with_headers(600, 250_000)
    assert len(content) < 2 << 20
    answer = put(http, content)
    assert answer.status_code == 422
    assert "bytes of headers" in answer.json()["detail"]
    assert list(shared_ground.home.sources.iterdir()) == []
