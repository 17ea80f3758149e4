"""The same promises for an ordinary user, when the tests are run by root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
UID = "171301"
STORIES = (
    *("test_running.py", "test_secrets.py", "test_limits.py", "test_entering.py"),
    *("test_mounts.py", "test_killed_starts.py"),
)


def _search_path() -> str:
    """Where our packages are, for another interpreter of the same version."""
    return ":".join(each for each in sys.path if each and "pyenv" not in each)


def _as_user(*words: str) -> "subprocess.CompletedProcess[str]":
    drop = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    env = {"PATH": os.environ["PATH"], "HOME": "/tmp", "PYTHONPATH": _search_path()}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [*drop, PYTHON, *words], env=env, cwd="/", capture_output=True, text=True, timeout=110
    )


@pytest.fixture(autouse=True)
def _possible() -> None:
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become somebody else")
    tried = _as_user("-c", "import perron.agent.sandbox as s, pytest; print(s.tier())")
    if tried.stdout.strip() != "B":
        pytest.skip(f"no sandbox for an ordinary user with {PYTHON} here: {tried.stderr[-200:]}")


def _told(*words: str) -> None:
    files = [str(HERE / each) for each in words]
    done = _as_user("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout[-3000:]


def test_an_ordinary_user_is_kept_from_leaks_too() -> None:
    _told("test_leaks.py")


@pytest.mark.slow
def test_an_ordinary_user_has_the_same_stories() -> None:
    _told(*STORIES)
