"""On which machines a platform runs, and what the others are told; units for systemd."""

import json
import os
import subprocess
import sys

import pytest

from perron.cli.main import why_not_here
from perron.kit import settings
from perron.kit.settings import Home, Settings, SettingsRefused
from perron.server import units
from perron.server.machine import why_not


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        ({"system": "Darwin"}, "this is Darwin"),
        ({"system": "Windows"}, "this is Windows"),
        ({"has_glibc": False}, "musl"),
        ({"has_haproxy": False, "machine": "armv7l"}, "armv7l"),
    ],
)
def test_a_machine_without_what_a_platform_needs_is_refused_in_two_sentences(machine, told):
    good = {"system": "Linux", "machine": "x86_64", "has_glibc": True, "has_haproxy": True}
    assert why_not(**good) == ""
    why = why_not(**{**good, **machine})
    assert told in why
    assert why.replace("perron login URL", "").count(". ") == 1


@pytest.mark.parametrize(("system", "told"), [("darwin", "macOS"), ("win32", "wsl --install")])
def test_the_command_line_says_elsewhere_where_a_platform_runs(system, told):
    assert told in why_not_here(system)
    assert why_not_here("linux") == ""


def test_without_a_sandbox_up_is_refused_and_says_what_to_do(tmp_path):
    bwrap = tmp_path / "bwrap"
    bwrap.write_text("#!/bin/sh\nexit 1\n")
    bwrap.chmod(0o755)
    home = tmp_path / "p"
    env = {**os.environ, "PERRON_HOME": str(home), "PERRON_BWRAP": str(bwrap)}
    words = [sys.executable, "-m", "perron.server.main", "up"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "perron up --trusted" in done.stderr
    assert "No sandbox can be made here" in done.stderr
    assert [each.name for each in (home / "run").glob("*.lock")] == ["up.lock"]
    destroyed = [sys.executable, "-m", "perron.server.main", "platform", "destroy", "--yes", "p"]
    done = subprocess.run(destroyed, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not home.exists()


def test_units_name_the_home_and_leave_apps_alone(monkeypatch):
    monkeypatch.setenv("PATH", '/usr/bin:/opt/a "b" 100%')
    texts = units.texts(Home.from_environment({"PERRON_HOME": "/srv/my platform"}))
    assert sorted(texts) == ["perron-agent.service", "perron-apps.service", "perron-server.service"]
    assert "Delegate=yes" in texts[units.APPS]
    for name in units.NAMES.values():
        assert '"PERRON_HOME=/srv/my platform"' in texts[name]
        assert r'"PATH=/usr/bin:/opt/a \"b\" 100%%"' in texts[name]
        assert "KillMode=process" in texts[name]
        assert 'RequiresMountsFor="/srv/my platform" "/' in texts[name]  # a disk of its own
        assert "Restart=on-failure" in texts[name]


def test_the_script_that_hands_over_to_systemd_is_one_the_shell_can_read(tmp_path):
    text = units.script(Home(tmp_path / "a home's"))
    assert subprocess.run(["sh", "-n"], input=text, text=True, timeout=20).returncode == 0
    assert text.index("perrond") < text.index("daemon-reload")


def test_a_yes_or_no_is_read_as_one(tmp_path):
    home = Home(tmp_path)
    home.settings.write_text(json.dumps({"trusted": False}))
    assert settings.load(home, {}) == Settings()
    assert settings.load(home, {"PERRON_TRUSTED": "yes"}).trusted is True
    assert settings.load(home, {"PERRON_TRUSTED": "false"}).trusted is False
    with pytest.raises(SettingsRefused, match="neither true nor false"):
        settings.load(home, {"PERRON_TRUSTED": "perhaps"})
