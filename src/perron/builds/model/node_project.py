"""Reads package.json: scripts, the Node it asks for, and what its build leaves behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .detected import BuildRefused
from .requirements import Read

LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
OTHER_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock")
OUTPUTS = ("dist", "build", "out", "public", "_site", "www")
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepare", "prepublish")


@dataclass(frozen=True)
class NodeProject:
    """What package.json says."""

    values: Mapping[str, Any]
    text: str
    lock: str | None
    lock_text: str
    other_lock: str | None

    def script(self, name: str) -> str | None:
        """Return a script's text."""
        scripts = self.values.get("scripts")
        found = scripts.get(name) if isinstance(scripts, dict) else None
        return found if isinstance(found, str) and found.strip() else None

    def runs_plainly(self, name: str) -> bool:
        """Say whether a script needs nothing of npm's; without npm, signals reach it sooner."""
        text = self.script(name) or ""
        around = self.script(f"pre{name}") or self.script(f"post{name}")
        return not around and "npm_" not in text and "INIT_CWD" not in text

    @property
    def engine(self) -> str | None:
        """The Node version the project asks for."""
        engines = self.values.get("engines")
        found = engines.get("node") if isinstance(engines, dict) else None
        return found if isinstance(found, str) and found.strip() else None

    @property
    def runs_own_scripts(self) -> bool:
        """Say whether installing runs scripts that may read any file of the source."""
        return any(self.script(name) for name in _LIFECYCLE) or '"file:' in self.text

    @property
    def has_dependencies(self) -> bool:
        """Say whether there is anything to install."""
        groups = ("dependencies", "devDependencies", "optionalDependencies", "workspaces")
        return any(self.values.get(group) for group in groups)

    def key(self, *more: str) -> str:
        """Name what installing depends on: the lock, and of package.json what npm reads."""
        read = {name: self.values.get(name) for name in sorted(self.values) if _matters(name)}
        parts = (json.dumps(read, sort_keys=True), self.lock_text, *more)
        return sha256(repr(parts).encode()).hexdigest()


def parse(read: Read, has: frozenset[str]) -> NodeProject:
    """Read package.json and the lock beside it."""
    text = read("package.json") or "{}"
    try:
        values = json.loads(text)
    except ValueError as why:
        raise BuildRefused(f"package.json is not JSON: {why}.") from why
    if not isinstance(values, dict):
        raise BuildRefused("package.json is not an object.")
    lock = next((name for name in LOCKS if name in has), None)
    return NodeProject(
        values,
        text,
        lock,
        (read(lock) or "") if lock else "",
        next((name for name in OTHER_LOCKS if name in has), None),
    )


def _matters(name: str) -> bool:
    return name.endswith("ependencies") or name in ("overrides", "workspaces", "engines")
