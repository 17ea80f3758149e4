import subprocess

import pytest

from perron.cli import provenance


@pytest.fixture
def repository(tmp_path):
    def git(*words):
        done = subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=Ada", "-c", "user.email=a@b.c", *words],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    (tmp_path / "a").write_text("1")
    git("add", ".")
    git("commit", "-q", "-m", "One")
    git("remote", "add", "origin", "https://lin:hunter2@example.org/shop.git")
    git.folder = tmp_path
    return git


def test_git_tells_commit_branch_author_times_and_no_password(repository):
    facts = provenance.of_folder(repository.folder, {})
    assert facts["sha"] == repository("rev-parse", "HEAD")
    assert (facts["branch"], facts["dirty"]) == ("main", False)
    assert facts["remote"] == "https://example.org/shop.git"
    assert facts["author"] == "Ada <a@b.c>"
    assert facts["committed"]
    assert "commits" not in facts


def test_changes_that_are_in_no_commit_make_it_dirty(repository):
    (repository.folder / "new").write_text("")
    facts = provenance.of_folder(repository.folder, {})
    assert facts["dirty"] is True
    assert provenance.short(facts).endswith("with local changes")


def test_commits_are_counted_from_the_live_one(repository):
    first = repository("rev-parse", "HEAD")
    for name in ("Two", "Three\n\nReviewed-by: Kim\nFixes: 7"):
        repository("commit", "-q", "--allow-empty", "-m", name)
    facts = provenance.of_folder(repository.folder, {}, since=first)
    assert [each["subject"] for each in facts["commits"]] == ["Three", "Two"]
    assert facts["commits"][0]["trailers"] == {"Reviewed-by": "Kim", "Fixes": "7"}
    assert facts["missing"] == 0
    assert "merge_base" not in facts


def test_more_commits_than_are_sent_are_counted_as_missing(repository, monkeypatch):
    monkeypatch.setattr(provenance, "MOST", 2)
    first = repository("rev-parse", "HEAD")
    for name in "abcde":
        repository("commit", "-q", "--allow-empty", "-m", name)
    facts = provenance.of_folder(repository.folder, {}, since=first)
    assert [each["subject"] for each in facts["commits"]] == ["e", "d"]
    assert facts["missing"] == 3


def test_rewritten_history_is_counted_from_the_merge_base(repository):
    base = repository("rev-parse", "HEAD")
    repository("commit", "-q", "--allow-empty", "-m", "Gone")
    gone = repository("rev-parse", "HEAD")
    repository("reset", "-q", "--hard", base)
    repository("commit", "-q", "--allow-empty", "-m", "Instead")
    facts = provenance.of_folder(repository.folder, {}, since=gone)
    assert facts["merge_base"] == base
    assert [each["subject"] for each in facts["commits"]] == ["Instead"]


@pytest.mark.parametrize("since", ["f" * 40, "--output=/tmp/x", "main", ""])
def test_a_commit_nobody_knows_leaves_the_commits_unknown(repository, since):
    assert "commits" not in provenance.of_folder(repository.folder, {}, since=since)


def test_a_folder_without_git_is_unknown_and_not_empty(tmp_path):
    facts = provenance.of_folder(tmp_path, {})
    assert set(facts) == {"origin", "host"}
    assert provenance.short(facts) == "a folder without git"


def test_what_the_caller_or_the_ci_says_is_marked_as_declared(tmp_path):
    said = provenance.of_folder(tmp_path, {}, commit="abc1234", commit_time="2026-11-20T10:00Z")
    assert (said["sha"], said["declared"]) == ("abc1234", True)
    ci = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": "f" * 40, "GITHUB_REF_NAME": "m"}
    told = provenance.of_folder(tmp_path, ci)
    assert (told["sha"], told["branch"], told["origin"]) == ("f" * 40, "m", "ci")
    assert told["declared"] is True


def test_git_itself_wins_over_the_ci(repository):
    ci = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": "f" * 40}
    facts = provenance.of_folder(repository.folder, ci)
    assert facts["sha"] != "f" * 40
    assert "declared" not in facts
