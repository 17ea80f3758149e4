"""Where a source came from, as far as git, the CI or the caller can tell."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MOST = 1000
_FORMAT = "%H%x1f%an <%ae>%x1f%aI%x1f%cI%x1f%s%x1f%(trailers:only,unfold,separator=%x1e)%x00"
_FIELDS = ("sha", "author", "authored", "committed", "subject")
# CI systems by the variable that gives them away, then those with commit, branch and time.
_CI = (
    ("GITHUB_ACTIONS", "GITHUB_SHA", "GITHUB_REF_NAME", ""),
    ("GITLAB_CI", "CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_COMMIT_TIMESTAMP"),
    ("CIRCLECI", "CIRCLE_SHA1", "CIRCLE_BRANCH", ""),
    ("BUILDKITE", "BUILDKITE_COMMIT", "BUILDKITE_BRANCH", ""),
    ("TF_BUILD", "BUILD_SOURCEVERSION", "BUILD_SOURCEBRANCHNAME", ""),
    ("JENKINS_URL", "GIT_COMMIT", "GIT_BRANCH", ""),
    ("CI", "CI_COMMIT_SHA", "CI_COMMIT_BRANCH", ""),
)


def of_folder(
    folder: Path,
    environment: Mapping[str, str],
    *,
    since: str | None = None,
    commit: str | None = None,
    commit_time: str | None = None,
) -> dict[str, Any]:
    """Return the provenance of a folder; what nobody can tell is left out, as unknown.

    ``since`` is the commit that is live now. What the caller or a CI variable says is marked
    as declared; git's own word is not.
    """
    facts: dict[str, Any] = {"origin": "ci" if environment.get("CI") else "cli"}
    facts["host"] = os.uname().nodename
    if commit or commit_time:
        return facts | _given(sha=commit, committed=commit_time) | {"declared": True}
    if told := _by_git(folder, since):
        return facts | told
    if told := _by_ci(environment):
        return facts | told | {"declared": True}
    return facts


def short(provenance: Mapping[str, Any]) -> str:
    """Return how people name the source: ``7d1f3ac``, with its changes since if there are any."""
    sha = provenance.get("sha")
    if not sha:
        return "a folder without git"
    return f"{sha[:7]} with local changes" if provenance.get("dirty") else str(sha[:7])


def _by_git(folder: Path, since: str | None) -> dict[str, Any] | None:
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--", ".")
    head = _commits(folder, "-1") if status is not None else None
    if status is None or not head:
        return None
    branch = re.search(r"^# branch\.head (.+)$", status, re.MULTILINE)
    name = branch[1] if branch and branch[1] != "(detached)" else None
    dirty = any(line and not line.startswith("#") for line in status.splitlines())
    first = head[0]
    facts = {key: first[key] for key in ("sha", "author", "authored", "committed")}
    facts |= _given(branch=name, remote=_remote(folder)) | {"dirty": dirty}
    return facts | (_since(folder, since) if since else {})


def _since(folder: Path, since: str) -> dict[str, Any]:
    """Return the commits since the live one; over a merge base when history was rewritten."""
    if not re.fullmatch(r"[0-9a-f]{7,64}", since):
        return {}
    base = _git(folder, "merge-base", since, "HEAD")
    if base is None:
        return {}
    start = base.strip()
    number = _git(folder, "rev-list", "--count", f"{start}..HEAD")
    commits = _commits(folder, f"-{MOST}", f"{start}..HEAD")
    if commits is None or number is None:
        return {}
    facts: dict[str, Any] = {"commits": commits, "missing": max(0, int(number) - len(commits))}
    return facts if start == since else facts | {"merge_base": start}


def _commits(folder: Path, *which: str) -> list[dict[str, Any]] | None:
    text = _git(folder, "log", f"--format={_FORMAT}", *which)
    if text is None:
        return None
    return [_commit(each.strip("\n")) for each in text.split("\0") if each.strip()]


def _commit(text: str) -> dict[str, Any]:
    *fields, trailers = text.split("\x1f")
    commit: dict[str, Any] = dict(zip(_FIELDS, fields, strict=False))
    pairs = (each.partition(":") for each in trailers.split("\x1e") if ":" in each)
    commit["subject"] = commit.get("subject", "")[:500]
    commit["trailers"] = {key.strip(): value.strip() for key, _, value in pairs}
    return commit


def _remote(folder: Path) -> str | None:
    """Return the address of ``origin``, without any password in it."""
    found = _git(folder, "config", "--get", "remote.origin.url")
    if not found or not found.strip():
        return None
    url = found.strip()
    if "://" not in url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _by_ci(environment: Mapping[str, str]) -> dict[str, Any] | None:
    for sign, sha, branch, at in _CI:
        if environment.get(sign) and environment.get(sha):
            return _given(
                sha=environment[sha],
                branch=environment.get(branch),
                committed=environment.get(at) if at else None,
            )
    return None


def _given(**facts: str | None) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if value}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says; None when it cannot tell."""
    command = ["git", "-C", str(folder), *arguments]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments of our own
            command, capture_output=True, env=environment, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
