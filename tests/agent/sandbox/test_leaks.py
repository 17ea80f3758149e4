"""One app attacks another, and the platform, in every way we can think of."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

import perron
from perron.agent.sandbox import promises, tier

LONG = 600  # seconds: an emulated machine takes minutes
pytestmark = pytest.mark.timeout(LONG + 60)
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


# What a sandbox is without one of its parts: a line of its own code, and what stands for it.
PARTS = {
    "landlock": ("landlock.py", "", "\n\ndef restrict(**_: object) -> None:\n    return\n"),
    "seccomp": (
        "seccomp.py",
        "",
        '\n\ndef build() -> bytes:\n    return struct.pack("HBBI", 6, 0, 0, 0x7FFF0000)\n',
    ),
    "a /tmp of its own": (
        "arguments.py",
        '*_memory("/tmp", spec.tmp_size),',
        '*("--bind", "/tmp", "/tmp"),',
    ),
}


def _play(*options: str, search: str = "") -> Any:
    private = ["unshare", "-m", "--propagation", "private"] if os.getuid() == 0 else []
    words = [*private, sys.executable, "-B", str(DRIVE), *options]
    env = {**os.environ, **({"PYTHONPATH": search} if search else {})}
    done = subprocess.run(words, stdout=subprocess.PIPE, timeout=LONG, env=env)
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


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_the_probe_notices_when_a_part_of_the_sandbox_is_taken_out(part: str) -> None:
    if part == "landlock" and _standing("tcp") == "open":
        pytest.skip("this kernel has no rules for ports, with or without it")
    with tempfile.TemporaryDirectory(prefix="pr", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(Path(perron.__file__).parent, Path(folder, "perron"))
        name, old, new = PARTS[part]
        file = Path(folder, "perron/agent/sandbox", name)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new) if old else text + new)
        search = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
        assert _leaks(_play(search=search)["sandbox"])


def _standing(code: str) -> str:
    return next(each.standing for each in promises() if each.code == code)
