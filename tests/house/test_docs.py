"""The tutorial is followed word for word, and what any page names is there."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools.rig.platform import ROOT, Platform

TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")])
DONE_ALREADY = {"git clone … perron", "make install"}  # this checkout, and what runs this test
DEADLINE = 400  # seconds; two minutes on a machine busy with other things
SIGN = "\x1e"


@dataclass
class Block:
    """Commands that are shown together, and what is shown that they say."""

    commands: list[str]
    shown: list[str] = field(default_factory=list)


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    for language, body in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.M | re.S):
        lines = body.splitlines()
        if language == "sh":
            found.append(Block([each for each in lines if each not in DONE_ALREADY]))
        elif language == "text":
            found[-1].shown = lines
    return found


BLOCKS = blocks(TUTORIAL)


@pytest.fixture(scope="module")
def said():
    """What each block said, and how each of its commands ended."""
    here = Platform()
    here.home = here.folder / ".perron"
    here.environment["PERRON_HOME"] = str(here.home)
    (here.folder / "perron").symlink_to(ROOT)
    try:
        yield read(follow(here), here.http_port)
    finally:
        here.close()


def follow(here: Platform) -> str:
    """Type everything into one shell, as a newcomer would."""
    script = here.folder / "tutorial.sh"
    parts = ["exec 2>&1\n"]
    for number, block in enumerate(BLOCKS):
        parts.append(f"printf '\\036{number}\\n'\n")
        parts += [f"{command}\nprintf '\\036=%d\\n' $?\n" for command in block.commands]
    script.write_text("".join(parts))
    done = subprocess.run(
        ["bash", str(script)], cwd=here.folder, env=here.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, timeout=DEADLINE, check=False,
    )  # fmt: skip
    return done.stdout.decode()


def read(output: str, port: int) -> dict[int, tuple[str, list[int]]]:
    found = {}
    for part in re.split(f"{SIGN}(?=\\d)", output)[1:]:
        number, _, rest = part.partition("\n")
        codes = [int(each) for each in re.findall(f"{SIGN}=(\\d+)", rest)]
        text = re.sub(f"{SIGN}=\\d+\n", "", rest).replace(f":{port}", ":8080")
        found[int(number)] = text, codes
    return found


def shown_as(line: str) -> str:
    """Return a pattern for a line of a page: figures differ, and … is anything."""
    parts = re.split(r"(…|\d+\.\d s|\d+ instances)", line.strip())
    free = {"…": ".*"}
    return "".join(
        free.get(each, r"[\d.]+ \w+" if number % 2 else re.escape(each))
        for number, each in enumerate(parts)
    )


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=lambda n: BLOCKS[n].commands[0][:40])
def test_every_step_of_the_tutorial_goes_as_it_is_told(said, number):
    block = BLOCKS[number]
    text, codes = said[number]
    wanted = [int((re.findall(r"# .*exit (\d+)", each) or [0])[0]) for each in block.commands]
    assert codes == wanted, text
    rest = text
    for line in block.shown:
        met = re.search(shown_as(line), rest)
        assert met, f"{line!r} is not said (any more):\n{text}"
        rest = rest[met.end() :]


def test_the_tutorial_is_followed_to_its_end(said):
    assert [*said] == [*range(len(BLOCKS))]
    assert sum(bool(block.shown) for block in BLOCKS) > len(BLOCKS) / 2
