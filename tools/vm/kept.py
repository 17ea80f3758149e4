"""What is kept from one run to the next, and how others' programs are called."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("PERRON_VM_CACHE", "~/.cache/perron-vm")).expanduser()


class NotAssessed(Exception):
    """The machine cannot be had here; the sentence says why."""


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time make what is kept."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for each in (*CACHE.glob("tmp*"), *CACHE.glob("*/tmp*")):  # of one that was killed
            shutil.rmtree(each)
        yield


def key(*names: str, more: str = "") -> str:
    """Name what is kept after everything that decides what is in it."""
    parts = [Path(__file__).parent / name for name in names]
    told = b"".join(each.read_bytes() for each in parts) + more.encode()
    return hashlib.sha256(told).hexdigest()[:12]


def run(*words: str, cwd: Path | None = None) -> bytes:
    """Run a program to its good end and return what it said."""
    return subprocess.run(words, check=True, capture_output=True, cwd=cwd).stdout
