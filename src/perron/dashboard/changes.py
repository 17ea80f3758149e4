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
        *(
            _pair(_called(name), *_two(pair))
            for name, pair in diff["settings"].items()
            if not _goes_with(name, diff["processes"])
        ),
    ]
    return [each for each in found if each.gone or each.come or each.said]


def _goes_with(setting: str, processes: Mapping[str, Any]) -> bool:
    """Say whether a setting is of a process that came or went as a whole: that is told already."""
    of, _, rest = setting.removeprefix("process.").partition(".")
    return bool(rest) and of in processes and None in _two(processes[of])


def _called(setting: str) -> str:
    """Return what a setting is called: ``process.web.health_path`` is *web, health path*."""
    of, _, rest = setting.removeprefix("process.").rpartition(".")
    return (f"{of}, {rest}" if of else rest).replace("_", " ")


def _pair(part: str, before: Any, after: Any, *, short: bool = False) -> Difference:
    def text(value: Any) -> tuple[str, ...]:
        plain = {None: "", True: "yes", False: "no"}
        is_word = value is None or isinstance(value, bool)
        said = plain[value] if is_word else f"{value:g}" if isinstance(value, float) else str(value)
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
