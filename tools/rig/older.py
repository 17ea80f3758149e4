"""The version from which upgrades are tested, installed as its users had it."""

import os
import subprocess
import sys
from pathlib import Path

from .platform import BIN, ROOT, Platform

OLDER = "b54df8acc026ec7ff59de97e867a0c304e91b0b6"  # the upgrade fixture of docs/plan.md
SLOT = "18"  # that version does not see everybody's claims


class NotAssessed(Exception):
    """This clone's history does not have the older version."""


def installed(folder: Path) -> Path:
    """Install it from its own lock into the folder; return where its commands are."""
    packed = subprocess.run(
        ["git", "archive", OLDER], cwd=ROOT, capture_output=True, check=False, timeout=120
    )
    if packed.returncode:
        raise NotAssessed(f"not assessed: this clone does not have the commit {OLDER[:7]}")
    source = folder / "source"
    source.mkdir()
    subprocess.run(["tar", "x", "-C", source], input=packed.stdout, check=True, timeout=60)
    uv, venv = str(BIN / "uv"), folder / "venv"
    pip = [uv, "pip", "install", "-q", "--python", str(venv / "bin/python")]
    for words in (
        [uv, "venv", "-q", "--python", sys.executable, str(venv)],
        [*pip, "-r", str(source / "requirements.lock")],
        [*pip, "--no-deps", "--no-build-isolation", str(source)],
    ):
        subprocess.run(words, check=True, timeout=600)
    return venv / "bin"


def typed(made: Platform, where: Path, *words: str) -> str:
    """Type a command of the older version."""
    done = subprocess.run(
        [str(where / "perron"), *words], cwd=made.folder, capture_output=True, text=True,
        env=made.environment | {"PATH": f"{where}:{os.environ['PATH']}"}, timeout=240, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{words}: {done.stdout}{done.stderr}{made.tail()}")
    return done.stdout
