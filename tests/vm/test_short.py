"""On Debian 12's own kernel: what the sandbox promises holds, and a platform of systemd's runs."""

import json

import pytest

# Slow: minutes where the machine is idle, the better part of an hour where it is busy.
pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3600)]

PYTEST = "cd /opt/perron && python -m pytest -q -x -p no:cacheprovider --timeout 900"
LONG = 1200.0


def test_it_is_debians_kernel_with_groups_of_the_second_kind(machine):
    assert machine.run("uname -r").said.startswith("6.1.")
    assert machine.run("stat -f -c %T /sys/fs/cgroup").said.strip() == "cgroup2fs"
    assert machine.run("cat /proc/1/comm").said.strip() == "systemd"


def test_doctor_says_what_this_kernel_leaves_open(machine):
    said = machine.run("perron doctor --json", check=False, timeout=LONG).said
    standing = {each["code"]: each["standing"] for each in json.loads(said)["promises"]}
    assert standing["files"] == standing["processes"] == "enforced"
    assert standing["memory"] == standing["cpu"] == "enforced"
    assert standing["tcp"] == standing["tcp-bind"] == standing["abstract"] == "open"


def test_nothing_leaks_that_this_kernel_can_keep_in(machine):
    machine.run(f"{PYTEST} tests/agent/sandbox/test_leaks.py -m 'not slow'", timeout=LONG)


def test_systemd_starts_a_platform_and_an_app_answers(machine):
    machine.run("perron up --print-systemd > /root/units.sh && sh /root/units.sh", timeout=LONG)
    machine.up()
    machine.deploy()
    machine.answers()
    held = machine.run("cat /sys/fs/cgroup/system.slice/perron-apps.service/perron-*/*/memory.max")
    assert any(line.isdigit() for line in held.said.split())
