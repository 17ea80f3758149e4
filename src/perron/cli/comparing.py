"""Releases in words: one of them, and what differs between two."""

from typing import Any

from . import provenance, voice, words


def change(release: dict[str, Any]) -> str:
    """Return what a release changed, in a few words."""
    facts = release.get("provenance") or {}
    commits = facts.get("commits") or []
    if release.get("reason"):
        return str(release["reason"])
    if release.get("rolled_back_to"):
        return f"Back to {release['rolled_back_to']}"
    if commits:
        return str(commits[0].get("subject") or commits[0].get("sha", "")[:7])
    kind = str(release.get("kind", "")).capitalize()
    return f"{kind} {facts['sha'][:7]}" if facts.get("sha") else kind


def show_release(release: dict[str, Any]) -> None:
    """Print everything about a release, a line for each fact."""
    facts = release.get("provenance") or {}
    rows = [
        ("Release", f"{release['number']}  {release['state']}"),
        ("Kind", release.get("kind")),
        ("URL", release.get("url")),
        ("Asked", f"{release.get('asked')} by {release.get('by_name') or release.get('by')}"),
        ("Live", release.get("live")),
        ("Back to", release.get("rolled_back_to")),
        ("Reason", release.get("reason")),
        ("Build", release.get("build")),
        ("Source", release.get("source")),
        ("From", f"{provenance.short(facts)}{' (declared)' if facts.get('declared') else ''}"),
        ("Branch", facts.get("branch")),
        ("Author", facts.get("author")),
        ("Commits", _commits(facts)),
        ("Config", f"{release.get('config')}  {', '.join(release.get('config_keys') or [])}"),
        ("Requests", words.lost_sentence(release)),
        ("Operation", release.get("operation")),
    ]
    rows += [("Process", f"{name}: {does}") for name, does in release["processes"].items()]
    for name, value in rows:
        if value not in (None, ""):
            voice.data(f"{name:<11}{voice.harmless(str(value))}")


def say_difference(diff: dict[str, Any], live: int, target: int) -> None:
    """Tell what going back means, before anybody is asked."""
    voice.say(f"{live} → {target}" if voice_speaks() else f"{live} -> {target}")
    for line in lines(diff):
        voice.say(f"  {line}")


def lines(diff: dict[str, Any]) -> list[str]:
    """Return a line for everything that differs."""
    found = []
    before, after = (diff.get("build") or [None, None])[:2]
    if before != after:
        found.append(f"build      {_digest(before)} -> {_digest(after)}")
    for name, (was, becomes) in (diff.get("processes") or {}).items():
        found.append(f"process    {name}: {was or '(none)'} -> {becomes or '(none)'}")
    for key, sign in (("config_added", "+"), ("config_removed", "-"), ("config_changed", "~")):
        found += [f"config     {sign} {name}" for name in diff.get(key) or []]
    for name, values in (diff.get("settings") or {}).items():
        found.append(f"setting    {name}: {' -> '.join(str(each) for each in values)}")
    for commit in diff.get("commits") or []:
        found.append(f"commit     {commit['sha'][:7]} {commit.get('subject', '')}".rstrip())
    return [voice.harmless(each) for each in found] or ["Nothing differs."]


def voice_speaks() -> bool:
    """Say whether arrows arrive on stderr."""
    import sys

    return voice.speaks_unicode(sys.stderr)


def _digest(build: str | None) -> str:
    return build.removeprefix("sha256:")[:12] if build else "(none)"


def _commits(facts: dict[str, Any]) -> str | None:
    commits = facts.get("commits")
    if commits is None:
        return None
    missing = f", {facts['missing']} more not listed" if facts.get("missing") else ""
    return f"{words.plural(len(commits), 'commit')} since the release before{missing}"
