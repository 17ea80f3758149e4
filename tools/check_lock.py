"""Hold the lock file against pyproject: every dependency pinned with hashes, no addresses."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def faults() -> list[str]:
    """Return what is wrong with the lock, one sentence each."""
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {name.lower(): body for name, body in _entries(lock)}
    said = ["The lock names an address."] if "://" in lock else []
    said += [f"{name} is pinned without a hash." for name, body in pinned.items()
             if "--hash=sha256:" not in body]  # fmt: skip
    said += [f"{name} is not in the lock. Next: make lock" for name in _wanted()
             if name not in pinned]  # fmt: skip
    return said


def _entries(lock: str) -> list[tuple[str, str]]:
    return re.findall(r"^([A-Za-z0-9._-]+)==(.*?)(?=^[A-Za-z0-9]|\Z)", lock, re.M | re.S)


def _wanted() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = project["project"]["dependencies"] + project["dependency-groups"]["check"]
    return {re.split(r"[<>=!~;\[ ]", each)[0].lower() for each in listed}


if __name__ == "__main__":
    found = faults()
    print("\n".join(found) or "lock: every dependency is pinned with hashes")
    sys.exit(bool(found))
