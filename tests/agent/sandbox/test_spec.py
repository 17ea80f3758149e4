"""What is asked of a sandbox survives being written down; its end is told in words."""

import json

import pytest

from perron.agent.sandbox import MIB, Mount, SandboxSpec
from perron.agent.sandbox.arguments import (
    Unusable,
    bwrap_arguments,
    check_environment,
    environment_file,
)
from perron.agent.sandbox.spec import describe

SPEC = SandboxSpec(
    name="web.1",
    state="/s",
    output="/s/output",
    app="/a",
    uid=171_000,
    mounts=(Mount("/v", "/data", writable=True), Mount("/root/py", "/root/py")),
    connect=(53, 443),
    path=("/app/bin",),
)
FILES = dict.fromkeys(
    ("passwd", "group", "hosts", "resolv.conf", "env", "seccomp", "status", "report"), 9
)


def test_a_spec_comes_back_as_it_was_kept() -> None:
    assert SandboxSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC


def test_a_spec_of_a_later_version_is_still_read() -> None:
    assert SandboxSpec.from_json({**SPEC.to_json(), "colour": "green"}) == SPEC


@pytest.mark.parametrize(
    ("code", "given", "text"),
    [
        (0, {}, "exited with code 0"),
        (1, {}, "exited with code 1"),
        (255, {}, "exited with code 255"),
        (137, {}, "killed by SIGKILL"),
        (139, {}, "killed by SIGSEGV"),
        (159, {}, "killed by SIGSYS (a forbidden system call)"),
        (127, {"command": "foo"}, "command not found: foo (127)"),
        (127, {}, "command not found (127)"),
        (126, {}, "command cannot be run (126)"),
        (126, {"command": "./x"}, "command cannot be run: ./x (126)"),
        (137, {"out_of_memory": True}, "out of memory: used more than 512 MB"),
        (None, {}, "killed by SIGKILL"),
        (
            None,
            {"problem": "the sandbox could not start: no /x"},
            "the sandbox could not start: no /x",
        ),
    ],
)
def test_an_end_is_told_in_words(code: int | None, given: dict[str, object], text: str) -> None:
    told = {"out_of_memory": False, "memory": 512 * MIB, "command": "", "problem": "", **given}
    assert describe(code, **told) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "Ä", "A\n", "PPID", "IFS", "UID"])
def test_a_name_no_shell_can_hold_is_refused(name: str) -> None:
    with pytest.raises(Unusable):
        check_environment({name: "x"})


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_value_no_environment_can_hold_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(Unusable) as refused:
        check_environment({"SECRET": "hidden" + value})
    assert "hidden" not in str(refused.value)


def test_an_apps_environment_wins_over_the_sandboxs_own() -> None:
    text = environment_file(SPEC, {"LANG": "de_DE.UTF-8"})
    assert "LANG='de_DE.UTF-8'\n" in text
    assert "PATH='/app/bin:/app/.venv/bin:" in text


def test_nothing_of_the_host_is_bound_writable_unless_asked_for() -> None:
    words = bwrap_arguments(SPEC, tier="A", files=FILES)
    writable = [words[at + 1] for at, word in enumerate(words) if word == "--bind"]
    assert writable == ["/v"]


def test_the_folders_above_a_private_interpreter_appear_open_and_empty() -> None:
    words = bwrap_arguments(SPEC, tier="A", files=FILES)
    at = words.index("/root")
    assert words[at - 3 : at] == ["--perms", "0755", "--dir"]
    assert "/root" not in [words[i + 1] for i, each in enumerate(words) if "bind" in each]


def test_a_mount_that_is_in_usr_already_is_left_out() -> None:
    spec = SandboxSpec("n", "/s", "/o", "/a", 1, mounts=(Mount("/usr/bin/node", "/usr/bin/node"),))
    assert "/usr/bin/node" not in bwrap_arguments(spec, tier="A", files=FILES)
