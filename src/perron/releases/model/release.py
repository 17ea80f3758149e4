"""A release, and the rules of numbering, going back and comparing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from perron.kit.problems import Conflict, NotFound, Problem

ASKED, LIVE, REPLACED, FAILED = "asked", "live", "replaced", "failed"
SUPERSEDED, CANCELLED = "superseded", "cancelled"


@dataclass(frozen=True)
class Release:
    """One build with one configuration: asked, then live or failed, then replaced.

    ``manifest`` is what the source says of itself, known once it is built. ``lost`` counts by
    reason what visitors did not get during the rollout; None is not measured, never nothing.
    """

    id: str
    environment: str
    number: int
    kind: str
    source: str
    root: str
    config: str
    config_keys: list[str]
    provenance: dict[str, Any]
    asked_at: datetime
    by: str
    operation: str = ""
    state: str = ASKED
    build: str | None = None
    manifest: dict[str, Any] | None = None
    rolled_back_to: int | None = None
    rollout_at: datetime | None = None
    live_at: datetime | None = None
    reason: str | None = None
    requests: int | None = None
    lost: dict[str, int] | None = None
    first_served: datetime | None = None

    @property
    def processes(self) -> dict[str, str]:
        """Return the command of each process type, as far as it is known."""
        known = (self.manifest or {}).get("processes", {})
        return {name: spec["command"] for name, spec in known.items()}


@dataclass(frozen=True)
class Line:
    """A release in one line."""

    number: int
    state: str
    asked_at: datetime
    live_at: datetime | None
    by: str


@dataclass(frozen=True)
class WaitingRun:
    """A one-off command that is written down, and that the engine may not have yet."""

    id: str
    environment: str
    release: str
    asked: datetime
    request: str


@dataclass(frozen=True)
class Changes:
    """What differs between two releases but for their configuration."""

    build: list[str | None]
    processes: dict[str, list[str | None]]
    settings: dict[str, list[Any]] = field(default_factory=dict)


class DeployRefused(Conflict):
    """The release may not go live now."""


class NothingChanged(Conflict):
    """What was asked for is live already."""


class BuildLost(Conflict):
    """The machine has lost the files that instances would be started from."""


class ReleaseNotFound(NotFound):
    """There is no such release."""


class RequestRefused(Problem):
    """What was asked contradicts itself, or names what is not there."""

    status = 422


def live(history: Sequence[Release]) -> Release | None:
    """Return the release that serves visitors now."""
    return next((release for release in history if release.state == LIVE), None)


def target_of_rollback(history: Sequence[Release], to: int | None) -> Release:
    """Return the release to go back to: the one named, or the last that was live before."""
    if to is None:
        return _last_replaced(history)
    found = next((release for release in history if release.number == to), None)
    if found is None:
        raise ReleaseNotFound(f"There is no release {to}; perron releases lists them.")
    if found.state == LIVE:
        raise DeployRefused(f"Release {to} is live now; to start it anew: perron restart.")
    if found.live_at is None:
        raise DeployRefused(
            f"Release {to} was never live ({found.state}); only what once worked can come back."
        )
    return found


def is_same(now: Release, *, source: str, root: str, config: str) -> bool:
    """Say whether a deploy of this would release once more what is live."""
    return (now.source, now.root, now.config) == (source, root, config)


def compare(before: Release, after: Release) -> Changes:
    """Say what differs in build, commands and settings of process types."""
    old, new = before.processes, after.processes
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return Changes(
        build=[before.build, after.build],
        processes={name: [old.get(name), new.get(name)] for name in changed},
        settings=_settings(before.manifest or {}, after.manifest or {}),
    )


def commits_between(history: Sequence[Release], before: int, after: int) -> list[Any] | None:
    """Return the commits that came with the releases after ``before`` up to ``after``.

    None when one of them does not know: a list with a gap would be taken for the whole.
    """
    low, high = sorted((before, after))
    found: dict[str, Any] = {}
    for release in history:
        if not low < release.number <= high or release.kind != "deploy":
            continue
        commits = release.provenance.get("commits")
        if commits is None:
            return None
        found |= {commit["sha"]: commit for commit in commits}
    return list(found.values())


def needed(history: Sequence[Release], *, keep: int) -> list[Release]:
    """Return what must not be pruned: what is live or coming, and the last ones that were live."""
    worked = [each for each in history if each.live_at is not None]
    recent = sorted(worked, key=lambda each: each.number)[-keep:]
    return [each for each in history if each in recent or each.state in (ASKED, LIVE)]


def rollout_lock(environment: str) -> str:
    """Name what only one rollout at a time may hold."""
    return f"rollout:{environment}"


def standing_lock(environment: str) -> str:
    """Name what only one change of scale at a time may hold."""
    return f"standing:{environment}"


def short(digest: str) -> str:
    """Return as much of a digest as a person wants to read."""
    return digest[:12]


def _last_replaced(history: Sequence[Release]) -> Release:
    now = live(history)
    earlier = [
        release
        for release in history
        if release.state == REPLACED and (now is None or release.number < now.number)
    ]
    if not earlier:
        raise DeployRefused("No earlier release was live here: there is nothing to go back to.")
    return max(earlier, key=lambda release: release.live_at or release.asked_at)


def _settings(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    old, new = _flat(before), _flat(after)
    return {
        name: [old.get(name), new.get(name)]
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def _flat(manifest: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, spec in manifest.get("processes", {}).items():
        flat |= {f"process.{name}.{k}": v for k, v in spec.items() if k != "command"}
    for name, spec in manifest.get("volumes", {}).items():
        flat |= {f"volumes.{name}.{k}": v for k, v in spec.items()}
    for name in ("release_command", "connect"):
        flat[name] = manifest.get(name)
    return flat
