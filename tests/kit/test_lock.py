"""Locks that die with their holder, and are not lost by looking at them."""

import os
import subprocess
import sys

import pytest

from perron.kit import lock

LOOK = "import sys; from pathlib import Path; from perron.kit import lock; "


def seen_from_outside(path):
    program = LOOK + "print(lock.holder(Path(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True,
                          text=True, check=True)  # fmt: skip
    return done.stdout.strip()


def test_a_holder_who_looks_at_its_own_lock_keeps_it(tmp_path):
    path = tmp_path / "run" / "serve.lock"
    held = lock.hold(path)
    assert lock.holder(path) == os.getpid()
    assert seen_from_outside(path) == str(os.getpid())
    held.release()
    assert lock.holder(path) is None
    assert seen_from_outside(path) == "None"


def test_who_comes_second_is_told_who_holds_it(tmp_path):
    path = tmp_path / "run" / "serve.lock"
    held = lock.hold(path)
    program = LOOK + "lock.hold(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert f"Process {os.getpid()} already holds" in done.stderr
    held.release()


def test_a_lock_nobody_ever_took_is_free(tmp_path):
    assert lock.holder(tmp_path / "none.lock") is None
    with pytest.raises(lock.LockHeld, match="holds"):
        raise lock.LockHeld(tmp_path / "none.lock", None)
