"""On Debian 12's own kernel: what the sandbox promises holds, and a platform of systemd's lasts."""

import json

import pytest

from .conftest import LONG, PYTEST

# Four minutes where the machine is idle; where it is busy, many more.
pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module", autouse=True)
def leaks(machine):
    """The probe, which takes its time beside the rest."""
    machine.begin("leaks", f"{PYTEST} tests/agent/sandbox/test_leaks.py -m 'not slow'")


def test_it_is_debians_kernel_with_groups_of_the_second_kind(machine):
    assert machine.run("uname -r").said.startswith("6.1.")
    assert machine.run("stat -f -c %T /sys/fs/cgroup").said.strip() == "cgroup2fs"
    assert machine.run("cat /proc/1/comm").said.strip() == "systemd"


def test_systemd_starts_a_platform_and_an_app_has_limits_and_answers(served):
    group = "/sys/fs/cgroup/system.slice/perron-apps.service/perron-*/*"
    for limit in ("memory.max", "pids.max"):
        held = served.run(f"cat {group}/{limit}").said
        assert any(line.isdigit() for line in held.split()), limit


def test_nothing_leaks_that_this_kernel_can_keep_in(machine):
    machine.ended("leaks")


def test_doctor_says_what_this_kernel_leaves_open(served):
    said = served.run("perron doctor --json 2> /dev/null", check=False, timeout=LONG).said
    standing = {each["code"]: each["standing"] for each in json.loads(said)["promises"]}
    assert standing["files"] == standing["processes"] == "enforced"
    assert standing["memory"] == standing["cpu"] == "enforced"
    assert standing["tcp"] == standing["tcp-bind"] == standing["abstract"] == "open"


def test_a_step_of_the_clock_restarts_nothing(served):
    before = served.reads("perron ps -a hello")
    for step in ("+3 days", "-3 days"):
        served.run(f"date -s '{step}'")
        served.answers()
        assert [each["id"] for each in served.reads("perron ps -a hello")] == [
            each["id"] for each in before
        ]


@pytest.mark.slow
def test_apps_come_back_after_a_reboot(served):
    served.machine.reboot()
    served.answers()
    assert served.reads("perron apps")
