"""Runtimes are known by having been run."""

import importlib
import sys
from pathlib import Path

from perron.agent.builds import interpreters
from perron.kit.settings import Settings

found_by = importlib.import_module("perron.agent.builds.interpreters")


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_only_what_runs_is_offered_and_each_once(tmp_path: Path) -> None:
    told = "echo 3.99.1; echo /opt/python3.99"
    program(tmp_path / "bin" / "python3.99", told)
    program(tmp_path / "bin" / "python3.98", "exit 1")
    program(tmp_path / "bin" / "python3.7", "echo 3.7.1; echo /opt/python3.7")
    program(tmp_path / "bin" / "python3-config", told)
    program(tmp_path / "bin" / "node", "echo 99.0.1; echo /opt/node")
    program(tmp_path / ".pyenv/versions/3.99.1/bin/python3", told)
    program(tmp_path / ".nvm/versions/node/v98.0.0/bin/node", "echo 98.0.0; echo /opt/node98")
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    found = interpreters(Settings(), environment)
    ours = [(each.version, each.path, each.source) for each in found if "/opt/" in each.path]
    assert ours == [
        ("3.99.1", "/opt/python3.99", "PATH"),
        ("99.0.1", "/opt/node", "PATH"),
        ("98.0.0", "/opt/node98", "nvm"),
    ]


def test_a_given_python_is_offered_by_its_real_path() -> None:
    found = interpreters(Settings(pythons=sys.executable), {"PATH": ""})
    version = ".".join(map(str, sys.version_info[:3]))
    offered = {each.version: each for each in found if each.language == "python"}
    assert offered[version].source == "PERRON_PYTHONS"
    assert not Path(offered[version].path).is_symlink()


def test_what_did_not_answer_in_time_is_asked_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(found_by, "TIMEOUT", 3.0)
    monkeypatch.setattr(found_by, "AGAIN", 0.0)
    first = tmp_path / "asked"
    story = f"test -e {first} || {{ touch {first}; exec sleep 60; }}; echo 3.97.1; echo /opt/late"
    program(tmp_path / "bin" / "python3.97", story)
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    assert "3.97.1" not in [each.version for each in interpreters(Settings(), environment)]
    monkeypatch.setattr(found_by, "TIMEOUT", 20.0)
    assert "3.97.1" in [each.version for each in interpreters(Settings(), environment)]
