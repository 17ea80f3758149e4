"""What the first ``perron up`` finds and writes down."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from perron.kit import settings
from perron.kit.settings import Home, SettingsRefused
from perron.server import claims, processes, setup
from perron.server.upkeep import masked

BARE = {"PATH": os.environ["PATH"]}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "ROOTS", (tmp_path / "perron-claims",))
    monkeypatch.setattr(claims, "SHARED", tmp_path)
    return Home(tmp_path / "h")


@pytest.fixture
def listener():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_two_homes_never_share_ports_or_uids(home, tmp_path):
    other = Home(tmp_path / "other")
    mine, _ = setup.prepare(home, BARE)
    theirs, _ = setup.prepare(other, BARE)
    assert not set(mine.instance_ports) & set(theirs.instance_ports)
    assert not set(mine.uids) & set(theirs.uids)
    assert mine.cgroup != theirs.cgroup


def test_the_band_of_a_home_that_is_gone_is_free_again(home, tmp_path):
    first, _ = setup.prepare(Home(tmp_path / "gone"), BARE)
    shutil.rmtree(tmp_path / "gone")
    second, _ = setup.prepare(home, BARE)
    assert first.slot == second.slot


def test_a_second_time_finds_the_same(home):
    first, _ = setup.prepare(home, BARE)
    second, said = setup.prepare(home, BARE)
    assert (first, said) == (second, [])


def test_a_taken_port_is_named_with_its_holder(home, listener):
    chosen, _ = setup.prepare(home, BARE | {"PERRON_HTTP_PORT": str(listener)})
    with pytest.raises(setup.SetupRefused, match=rf"Port {listener} is taken by .*{os.getpid()}"):
        setup.check_ports(chosen)


def test_a_home_with_a_path_too_long_for_sockets_is_refused_by_name(tmp_path):
    with pytest.raises(setup.SetupRefused, match="shorter PERRON_HOME"):
        setup.prepare(Home(tmp_path / ("x" * 100)), BARE)


def test_indexes_and_authorities_of_the_host_are_taken_over(home):
    given = BARE | {"UV_DEFAULT_INDEX": "https://me:secret@index.example/simple",
                    "REQUESTS_CA_BUNDLE": "/etc/ca.pem"}  # fmt: skip
    chosen, _ = setup.prepare(home, given)
    assert chosen.fetch["UV_DEFAULT_INDEX"] == "https://me:secret@index.example/simple"
    assert chosen.fetch["SSL_CERT_FILE"] == "/etc/ca.pem"


def test_credentials_in_addresses_are_masked():
    assert masked("https://me:secret@index.example/simple") == "https://••••@index.example/simple"
    assert masked("https://index.example/simple") == "https://index.example/simple"


def test_the_environment_wins_over_the_file_and_nonsense_is_refused(home):
    setup.prepare(home, BARE)
    assert settings.load(home, {"PERRON_HTTP_PORT": "9"}).http_port == 9
    with pytest.raises(SettingsRefused, match="cannot be read"):
        settings.load(home, {"PERRON_HTTP_PORT": "nine"})


def test_a_wish_to_be_down_is_kept_until_it_is_lifted(home):
    setup.prepare(home, BARE)
    processes.wish_down(home, down=True)
    assert processes.is_down_wished(home)
    processes.wish_down(home, down=False)
    assert not processes.is_down_wished(home)


def test_settings_are_readable_by_their_owner_alone(home):
    setup.prepare(home, BARE)
    assert Path(home.settings).stat().st_mode & 0o777 == 0o600
