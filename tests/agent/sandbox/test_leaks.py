"""One app attacks another, and the platform, in every way we can think of."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perron.agent.sandbox import promises, tier

DRIVE = Path(__file__).parent / "leaks" / "drive.py"
# What only newer kernels close, by the promise that says so.
PROMISED = {
    "TCP": "TCP ports of other apps and of the platform",
    "bind": "binding another app's TCP port",
    "unix": "abstract sockets of other apps and of the platform",
}


@pytest.fixture(autouse=True)
def _possible() -> None:
    if tier() == "C":
        pytest.skip("no sandbox can be made here")


def _play(*options: str) -> Any:
    private = ["unshare", "-m", "--propagation", "private"] if os.getuid() == 0 else []
    words = [*private, sys.executable, "-B", str(DRIVE), *options]
    done = subprocess.run(words, stdout=subprocess.PIPE, timeout=110)
    assert done.returncode == 0
    played = json.loads(done.stdout)
    assert played["victim_lives"]  # else nobody was attacked
    return played


def _leaks(found: list[list[str]]) -> list[str]:
    """Return what is not as promised."""
    standing = {each.name: each.standing for each in promises()}
    bad = []
    for name, want, outcome, detail in found:
        promise = PROMISED.get(name.partition(":")[0], "")
        if want == "works" and outcome != "through":
            bad.append(f"{name} is broken: {detail}")
        if want == "closed" and outcome == "through" and standing.get(promise) != "open":
            bad.append(f"{name} is open: {detail}")
    return bad


def test_nothing_leaks_out_of_a_sandbox() -> None:
    played = _play()
    assert _leaks(played["sandbox"]) == []
    assert played["first_process_holds"] == 0
    assert len(played["sandbox"]) > 60


@pytest.mark.slow
def test_nothing_leaks_out_of_an_entered_session() -> None:
    assert _leaks(_play("--enter")["sandbox"]) == []


@pytest.mark.slow
def test_the_probe_gets_through_where_there_is_no_sandbox() -> None:
    """An attack that fails without a sandbox too would prove nothing."""
    plain = _play("--control")["control"]
    through = [
        name for name, want, outcome, _ in plain if want == "closed" and outcome == "through"
    ]
    assert len(through) > 25, through
    assert not [
        name
        for name, want, outcome, _ in plain
        if want == "works" and outcome != "through" and not name.startswith("works: passwd")
    ]
