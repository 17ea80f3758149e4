"""Volumes: created, kept as they are, listed, and destroyed only on purpose."""

import pytest

from perron import catalog, services
from perron.services import VolumeInUse, VolumeRefused
from perron.services.model import check, is_within

BASE = "/v1/apps/shop/environments/production/volumes"


@pytest.fixture
def place(ground):
    with ground.reading() as uow:
        return catalog.get_environment(uow, ground.shop, "production")


@pytest.mark.parametrize(
    ("name", "mount", "size"),
    [
        ("Data", "/data", 1 << 30),
        ("-a", "/data", 1 << 30),
        ("a" * 31, "/data", 1 << 30),
        ("data", "data", 1 << 30),
        ("data", "/", 1 << 30),
        ("data", "/data/", 1 << 30),
        ("data", "/data/../etc", 1 << 30),
        ("data", "/data\n", 1 << 30),
        ("data", "/app/media", 1 << 30),
        ("data", "/etc", 1 << 30),
        ("data", "/tmp/x", 1 << 30),
        ("data", "/data", 10),
        ("data", "/data", 1 << 60),
        ("data", "/data", -1),
    ],
)
def test_some_volumes_are_refused_with_a_reason(name, mount, size):
    with pytest.raises(VolumeRefused):
        check(name, mount, size)


def test_a_folder_beside_another_of_a_longer_name_is_not_within_it():
    assert is_within("/data/a", "/data")
    assert not is_within("/database", "/data")


def test_the_same_volume_again_is_harmless_and_another_mount_is_refused(ground, place):
    with ground.writing() as uow:
        first = services.create(uow, place, "data", mount="/data", size=1 << 30)
        assert services.create(uow, place, "data", mount="/data", size=1 << 30) == first
        with pytest.raises(VolumeInUse, match="already"):
            services.create(uow, place, "data", mount="/other", size=1 << 30)
        with pytest.raises(VolumeInUse, match="overlaps /data"):
            services.create(uow, place, "more", mount="/data/more", size=1 << 30)
    assert len(ground.events("perron.volume.created.v1")) == 1


def test_a_release_that_says_otherwise_changes_nothing_and_says_so(ground, place):
    with ground.writing() as uow:
        services.create(uow, place, "data", mount="/data", size=1 << 30)
        notes = services.ensure(uow, place, {"data": ("/data", 2 << 30), "new": ("/new", 1 << 30)})
        assert [each.size for each in services.volumes(uow, place)] == [1 << 30, 1 << 30]
    assert len(notes) == 1
    assert "nothing was changed" in notes[0]


def test_volumes_are_listed_with_unknown_use_while_the_agent_is_away(ground):
    http = ground.http()
    body = {"name": "data", "mount": "/data", "size": 1 << 30}
    assert http.post(BASE, json=body).status_code == 201
    [volume] = http.get(BASE).json()["items"]
    assert (volume["name"], volume["used"]) == ("data", None)


def test_destroying_needs_the_name_again(ground):
    http = ground.http()
    http.post(BASE, json={"name": "data", "mount": "/data", "size": 1 << 30})
    refused = http.delete(f"{BASE}/data")
    assert refused.status_code == 412
    assert "confirm=data" in refused.json()["detail"]


def test_a_volume_stays_when_the_agent_could_not_end_its_files(ground, place):
    http = ground.http()
    http.post(BASE, json={"name": "data", "mount": "/data", "size": 1 << 30})
    assert http.delete(f"{BASE}/data", params={"confirm": "data"}).status_code == 503
    with ground.reading() as uow:
        assert [each.name for each in services.volumes(uow, place)] == ["data"]


def test_files_are_for_those_who_may_have_them(ground):
    http = ground.http(ground.person("viewer"))
    ground.http().post(BASE, json={"name": "data", "mount": "/data", "size": 1 << 30})
    assert http.get(f"{BASE}/data/files").status_code == 403
    assert ground.http("nobody").get(f"{BASE}/data/files").status_code == 401
