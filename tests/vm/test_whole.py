"""On Debian 12's own kernel: limits, an ordinary user with delegation, loss of power, trust."""

import json

import pytest

from .conftest import LONG, PYTEST

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(7200)]

USER = {"user": "user", "XDG_RUNTIME_DIR": "/run/user/1001"}
SANDBOX = "tests/agent/sandbox"


def test_limits_hold(machine):
    machine.run(f"{PYTEST} {SANDBOX}/test_limits.py", timeout=LONG)


def test_leaks_are_closed_for_sessions_and_for_an_ordinary_user_too(machine):
    machine.run(f"{PYTEST} {SANDBOX}/test_leaks.py -m slow", timeout=LONG)
    machine.run(f"{PYTEST} {SANDBOX}/test_leaks.py -m 'not slow'", timeout=LONG, user="user")


def test_a_platform_of_roots_comes_back_after_a_loss_of_power(served):
    before = served.reads("perron apps")
    served.run("sync")
    served.machine.crash()
    served.answers()
    assert [each["name"] for each in served.reads("perron apps")] == [
        each["name"] for each in before
    ]


def test_schedules_tokens_and_logs_stay_sane_when_the_clock_steps(served):
    add = "perron cron add nightly '0 3 * * *' 'echo good night' -a hello"
    served.run(add, timeout=LONG)
    token = served.run("perron tokens create --name ci --days 1", timeout=LONG).said.split()[-1]
    guest = {"PERRON_URL": json.loads(served.run("cat ~/.perron/cli.json").said)["url"]}
    served.run("perron apps", timeout=LONG, PERRON_TOKEN=token, **guest)
    served.run("date -s '+3 days'")
    history = "perron cron history nightly -a hello --json 2> /dev/null"
    look = f"until {history} | grep -q '\"done\"'; do sleep 2; done; {history}"
    late = json.loads(served.run(look, timeout=LONG).said)
    assert [each["state"] for each in late].count("done") == 1, late  # the others: missed
    refused = served.run("perron apps", check=False, timeout=LONG, PERRON_TOKEN=token, **guest)
    assert refused.code
    assert "Traceback" not in refused.said
    served.run("date -s '-3 days'")
    served.answers()
    assert served.reads("perron cron history nightly -a hello") == late
    lines = "until perron logs -a hello --source router -n 5 | grep -q 200; do sleep 1; done"
    served.run(lines, timeout=LONG)


def test_systemd_brings_a_killed_server_and_agent_back(served):
    served.run("systemctl kill -s KILL --kill-whom=main perron-server perron-agent")
    served.up()
    served.answers()
    said = served.run("systemctl is-active perron-agent perron-server perron-apps").said
    assert said.split() == ["active"] * 3


def test_trust_adds_the_local_ca_and_takes_it_out_again(served):
    # One authority of the system's own: with none at all Debian leaves the bundle as it was.
    served.run("echo mozilla/ISRG_Root_X1.crt > /etc/ca-certificates.conf")
    served.run("perron platform trust", timeout=LONG)
    port = served.setting("https_port")
    ask = f"curl -s -o /dev/null --resolve hello.localhost:{port}:127.0.0.1 "
    ask += f"https://hello.localhost:{port}/"
    served.run(ask, timeout=LONG)
    served.run("perron platform trust --remove", timeout=LONG)
    assert served.run(ask, timeout=LONG, check=False).code == 60  # curl: not a known authority


def test_destroy_leaves_nothing(served):
    served.run("perron platform destroy --yes .perron", timeout=LONG)
    left = served.run("ls -d /root/.perron /etc/systemd/system/perron-* 2>/dev/null", check=False)
    assert left.said == ""
    assert served.run("pgrep -a -f 'perrond|[h]aproxy|[s]erver.py'", check=False).said == ""
    assert served.run("ls -d /sys/fs/cgroup/*/perron*", check=False).said.count("/perron") == 0


def test_an_ordinary_users_platform_lives_in_delegated_groups_and_comes_back(machine):
    machine.run("loginctl enable-linger user")
    machine.run("until [ -S /run/user/1001/bus ]; do sleep 1; done", timeout=LONG)
    machine.install(**USER)
    machine.deploy(**USER)
    machine.answers(**USER)
    told = json.loads(machine.run("perron api GET /v1/platform/promises 2> /dev/null", **USER).said)
    standing = {each["code"]: each["standing"] for each in told["promises"]}
    assert told["tier"] == "B"
    assert standing["memory"] == standing["cpu"] == "enforced"
    machine.machine.reboot()
    machine.answers(**USER)
    machine.run("perron platform destroy --yes .perron", timeout=LONG, **USER)
    assert machine.run("ls -A /home/user/.config/systemd/user", check=False).said.strip() in ("",)
