"""The files of a build were taken from the machine: it is said, and a deploy makes them again."""

import shutil

import httpx
import pytest

from tools.rig.platform import wait_until


@pytest.fixture(scope="module")
def app(here):
    folder = here.app("hello")
    here.perron("deploy", str(folder), "-a", "hello", "--create")
    return folder


@pytest.fixture
def lost(here, app):
    """The live release's build is gone, and the machine has noticed."""
    build = here.json("releases", "-a", "hello")[0]["build"]
    folder = here.home / "node" / "builds" / build
    folder.rename(folder.with_name(".taken"))
    shutil.rmtree(folder.with_name(".taken"))
    wait_until(lambda: build in lost_builds(here), what="the machine says so")
    return build


def lost_builds(here):
    transport = httpx.HTTPTransport(uds=str(here.home / "run/agent.sock"))
    with httpx.Client(transport=transport, base_url="http://agent") as agent:
        report = agent.get("/v1/report").json()
    return [build for each in report["environments"] for build in each["lost"]]


def refused(here, *command):
    ran = here.perron(*command, "-a", "hello", check=False)
    assert ran.returncode
    return ran.stderr


def test_what_would_start_instances_says_what_is_lost_and_what_mends_it(here, lost):
    for command in (["restart"], ["scale", "web=3"]):
        said = refused(here, *command)
        assert lost[:12] in said
        assert "perron deploy --from-release 1" in said
    assert here.status("hello.localhost") == 200, "what runs goes on"
    number = here.json("releases", "-a", "hello")[0]["number"]
    here.perron("deploy", "--from-release", str(number), "-a", "hello")
    assert here.status("hello.localhost") == 200
    here.perron("restart", "-a", "hello")


def test_a_deploy_of_the_same_source_makes_a_lost_build_again(here, app, lost):
    here.perron("deploy", str(app), "-a", "hello")
    assert (here.home / "node" / "builds" / lost / "app").is_dir()
    wait_until(lambda: lost not in lost_builds(here), what="the machine has it again")
    again = here.perron("deploy", str(app), "-a", "hello")
    assert "nothing changed" in again.stdout + again.stderr


def test_what_was_stopped_is_not_started_without_its_build(here, app):
    here.perron("stop", "-a", "hello")
    build = here.json("releases", "-a", "hello")[0]["build"]
    shutil.rmtree(here.home / "node" / "builds" / build)
    assert "perron deploy" in refused(here, "start")
    here.perron("deploy", str(app), "-a", "hello")
    assert here.status("hello.localhost") == 200
