"""On Debian 12's own kernel: limits, an ordinary user with delegation, reboot, the clock, trust."""

import json

import pytest

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(7200)]

PYTEST = "cd /opt/perron && python -m pytest -q -x -p no:cacheprovider --timeout 900"
LONG = 2400.0
USER = {"user": "user", "XDG_RUNTIME_DIR": "/run/user/1001"}


def test_limits_hold(machine):
    machine.run(f"{PYTEST} tests/agent/sandbox/test_limits.py", timeout=LONG)


def test_leaks_are_closed_for_sessions_and_for_an_ordinary_user_too(machine):
    leaks = f"{PYTEST} tests/agent/sandbox/test_leaks.py"
    machine.run(leaks, timeout=LONG)
    machine.run(f"{leaks} -m 'not slow'", timeout=LONG, user="user")


def test_a_platform_of_roots_comes_back_after_a_reboot_and_a_loss_of_power(machine):
    machine.run("perron up --print-systemd | sh", timeout=LONG)
    machine.up()
    machine.deploy()
    machine.answers()
    machine.machine.reboot()
    machine.answers()
    machine.machine.crash()
    machine.answers()


def test_the_clock_steps_either_way_and_nothing_is_lost(machine):
    before = json.loads(machine.run("perron ps -a hello --json", timeout=LONG).said)
    for step in ("+3 days", "-3 days"):
        machine.run(f"date -s '{step}'")
        machine.answers()
        machine.run("perron apps && perron logs -a hello | tail -3", timeout=LONG)
    after = json.loads(machine.run("perron ps -a hello --json", timeout=LONG).said)
    assert [each["id"] for each in before] == [each["id"] for each in after]


def test_systemd_brings_a_killed_server_and_agent_back(machine):
    machine.run("systemctl kill -s KILL --kill-whom=main perron-server perron-agent")
    machine.up()
    machine.answers()
    said = machine.run("systemctl is-active perron-agent perron-server perron-apps").said
    assert said.split() == ["active"] * 3


def test_trust_adds_the_local_ca_and_takes_it_out_again(machine):
    # One authority of the system's own: with none at all Debian leaves the bundle as it was.
    machine.run("echo mozilla/ISRG_Root_X1.crt > /etc/ca-certificates.conf")
    machine.run("perron platform trust", timeout=LONG)
    port = machine.port("https_port")
    ask = f"curl -s -o /dev/null --resolve hello.localhost:{port}:127.0.0.1 "
    ask += f"https://hello.localhost:{port}/"
    machine.run(ask, timeout=LONG)
    machine.run("perron platform trust --remove", timeout=LONG)
    assert machine.run(ask, timeout=LONG, check=False).code == 60  # curl: not a known authority


def test_destroy_leaves_nothing(machine):
    machine.run("perron platform destroy --yes .perron", timeout=LONG)
    left = machine.run("ls -d /root/.perron /etc/systemd/system/perron-* 2>/dev/null", check=False)
    assert left.said == ""
    assert machine.run("pgrep -a -f 'perrond|[h]aproxy|[s]erver.py'", check=False).said == ""


def test_an_ordinary_users_platform_lives_in_delegated_groups_and_comes_back(machine):
    machine.run("loginctl enable-linger user")
    machine.run("until [ -S /run/user/1001/bus ]; do sleep 1; done", timeout=LONG)
    machine.run("perron up --print-systemd > ~/units.sh && sh ~/units.sh", timeout=LONG, **USER)
    machine.up(**USER)
    machine.deploy(**USER)
    machine.answers(**USER)
    told = json.loads(machine.run("perron api GET /v1/platform/promises", **USER).said)
    standing = {each["code"]: each["standing"] for each in told["promises"]}
    assert told["tier"] == "B"
    assert standing["memory"] == standing["cpu"] == "enforced"
    machine.machine.reboot()
    machine.answers(**USER)
