"""Quotas on a real platform: shown, set, and kept to before anything starts."""

import pytest


@pytest.fixture(scope="module")
def hello(here):
    folder = here.app("hello")
    here.perron("deploy", str(folder), "-a", "hello", "--create")
    return folder


def used(here, name):
    found = here.json("quotas", "--team", "main")
    return next(each["used"] for each in found if each["name"] == name)


def test_what_runs_and_what_was_built_is_counted(here, hello):
    assert used(here, "apps") == 1
    assert used(here, "instances") == 1
    assert used(here, "memory") > 0
    assert used(here, "build_minutes_day") > 0
    assert used(here, "disk") > 0
    assert "build minutes day" in here.perron("quotas").stdout


def test_more_than_the_quota_is_refused_and_what_runs_goes_on(here, hello):
    here.perron("quotas", "set", "main", "instances=2")
    refused = here.perron("scale", "web=3", "-a", "hello", check=False)
    assert refused.returncode == 5
    assert "An administrator can raise it: perron quotas set main instances=" in refused.stderr
    assert here.status("hello.localhost") == 200
    here.perron("scale", "web=2", "-a", "hello")
    here.perron("deploy", str(hello), "-a", "hello", "--force")
    assert used(here, "instances") == 2
    here.perron("quotas", "set", "main", "instances=default")
    here.perron("scale", "web=3", "-a", "hello")


def test_used_up_build_minutes_fail_a_deploy_by_name(here, hello):
    here.perron("quotas", "set", "main", "build_minutes_day=0")
    (hello / "more.txt").write_text("more\n")
    failed = here.perron("deploy", str(hello), "-a", "hello", check=False)
    assert failed.returncode == 1
    assert "build minutes of today" in failed.stdout + failed.stderr
    here.perron("quotas", "set", "main", "build_minutes_day=default")
    here.perron("deploy", str(hello), "-a", "hello")


def test_quotas_that_are_none_are_mistyped(here, hello):
    for wrong in ("colours=1", "apps=many", "apps", "apps=-1"):
        assert here.perron("quotas", "set", "main", wrong, check=False).returncode == 2, wrong
