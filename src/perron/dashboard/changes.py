"""What a release changed, and what differs between two, in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHORT = 12


@dataclass(frozen=True)
class Difference:
    """One row of a diff: what went, what came, and what is only said."""

    part: str
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def change(release: Mapping[str, Any]) -> str:
    """Return what a release changed, in a few words."""
    facts = release.get("provenance") or {}
    commits = facts.get("commits") or []
    if release.get("rolled_back_to"):
        return f"Back to {release['rolled_back_to']}"
    if release.get("kind") == "config":
        return "New configuration"
    if commits and commits[0].get("subject"):
        return str(commits[0]["subject"])
    if facts.get("sha"):
        branch = f" of {facts['branch']}" if facts.get("branch") else ""
        return f"{facts['sha'][:7]}{branch}"
    return "A folder without git"


def differences(diff: Mapping[str, Any], *, is_back: bool = False) -> list[Difference]:
    """Return the rows of a diff; what is the same is not in it. Going back takes commits away."""
    commits = tuple(_commit(each) for each in diff.get("commits") or ())
    found = [
        Difference("Commits", gone=commits) if is_back else Difference("Commits", said=commits),
        _pair("Build", *_two(diff.get("build")), short=True),
        Difference(
            "Config",
            gone=tuple(_masked(name) for name in diff["config_removed"] + diff["config_changed"]),
            come=tuple(_masked(name) for name in diff["config_added"] + diff["config_changed"]),
        ),
        *(_pair(f"Process {name}", *_two(pair)) for name, pair in diff["processes"].items()),
        *(_pair(name, *_two(pair)) for name, pair in diff["settings"].items()),
    ]
    return [each for each in found if each.gone or each.come or each.said]


def _pair(part: str, before: Any, after: Any, *, short: bool = False) -> Difference:
    def text(value: Any) -> tuple[str, ...]:
        said = "" if value is None else str(value)
        return ((said.removeprefix("sha256:")[:SHORT] if short else said),) if said else ()

    return Difference(part) if before == after else Difference(part, text(before), text(after))


def _two(values: Any) -> tuple[Any, Any]:
    found = [*(values or ()), None, None]
    return found[0], found[1]


def _masked(name: str) -> str:
    return f"{name} = ••••"


def _commit(commit: Mapping[str, Any]) -> str:
    author = str(commit.get("author") or "").partition("<")[0].strip()
    by = f", by {author}" if author else ""
    return f"{str(commit.get('sha', ''))[:7]} {commit.get('subject') or ''}{by}"
