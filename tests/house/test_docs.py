"""The tutorial is followed word for word, and what any page names is there."""

import json
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from perron.builds.model import toml
from perron.cli import index
from tools import reference
from tools.reference import commands
from tools.rig.platform import ROOT, Platform

TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")])
DONE_ALREADY = {"git clone … perron", "make install"}  # this checkout, and what runs this test
DEADLINE = 400  # seconds; two minutes on a machine busy with other things
SIGN = "\x1e"
pytestmark = pytest.mark.timeout(DEADLINE + 60)


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
    parts = re.split(r"(…|\d+\.\d s|\d+ instances|\d+ requests)", line.strip())
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


def name_of(page):
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors that headings have where pages are read: lower case, hyphens for spaces."""
    heads = re.findall(r"^#+ (.*)$", without_blocks(page), re.M)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in plain}


def without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", without_blocks(page))
    dead = []
    for link in links:
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


KNOWN = dict(commands.all_commands())


def typed(page: Path) -> list[list[str]]:
    """The words of every command of ours that a page shows, in blocks and in its text."""
    lines = [line for block in blocks(page) for line in block.commands]
    lines += re.findall(r"`(perron [^`]+)`", without_blocks(page))
    inner = [each for line in lines for each in re.findall(r"\$\((perron [^)]*)\)", line)]
    pieces = (piece for line in [*lines, *inner] for piece in pieces_of(line))
    return [piece for piece in pieces if piece[:1] == ["perron"]]


def pieces_of(line: str) -> list[list[str]]:
    """Return the words between pipes, semicolons and redirections."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    pieces: list[list[str]] = [[]]
    for word in reader:
        if set(word) <= set("();<>|&"):
            pieces.append([])
        else:
            pieces[-1].append(word)
    return pieces


def fault_of(words: list[str]) -> str | None:
    """Say what of a command line does not exist."""
    name = " ".join(words[:2])
    if name in ("perron --help", "perron --version"):
        return None
    if name not in KNOWN:
        return f"no {name}"
    rest = words[2:]
    while isinstance(KNOWN[name], click.Group) and rest and f"{name} {rest[0]}" in KNOWN:
        name = f"{name} {rest.pop(0)}"
    command = KNOWN[name]
    if isinstance(command, click.Group):
        if rest and not rest[0].startswith("-"):
            return f"no {name} {rest[0]}"
        command = KNOWN.get(f"{name} list", command)
    options = {"-h", "--help"} | {each for param in command.params for each in param.opts}
    options |= {each for param in command.params for each in param.secondary_opts}
    given = rest[: rest.index("--")] if "--" in rest else rest
    wrong = [each for each in given if each.startswith("-") and len(each) > 1
             and each.partition("=")[0] not in options]  # fmt: skip
    return f"{name} has no {wrong[0]}" if wrong else None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_on_a_page_exists_with_its_options(page):
    assert [fault for words in typed(page) if (fault := fault_of(words))] == []


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_made_from_the_code_says_what_the_code_says(name):
    kept = (reference.FOLDER / name).read_text()
    assert kept == reference.PAGES[name](), "run: python -m tools.reference"


def glossary() -> set[str]:
    text = (ROOT / "docs" / "glossary.md").read_text()
    return set(re.findall(r"^\*\*(.+?)\*\*", text, re.M))


VERBS = {
    "accept", "api", "approve", "cancel", "deploy", "detect", "doctor", "down", "explain", "follow",
    "help", "open", "restart", "restore", "reveal", "start", "status", "stop", "up", "verify",
    "completion", "commands", "passwd", "whoami", "logout", "ps", "rollback", "protect", "v",
}  # fmt: skip
ALSO = {
    "accepted": "trusted", "conditions": "health", "env": "environment", "events": "event",
    "files": "volume", "head": "head", "login-links": "login", "me": "person", "overview": "app",
    "promises": "promise", "resets": "person", "reset": "person", "people": "person",
    "activity": "activity", "cron": "schedule", "audit": "audit trail", "releases": "release",
}  # fmt: skip


def nouns() -> set[str]:
    """What commands and addresses of the API are called."""
    paths = json.loads((reference.FOLDER / "openapi.json").read_text())["paths"]
    named = {word for path in paths for word in re.findall(r"/([a-z-]+)(?![^/]*})", path)}
    return (named | set(index.COMMANDS)) - VERBS


@pytest.mark.parametrize("noun", sorted(nouns()))
def test_every_noun_of_the_api_and_of_the_commands_is_explained(noun):
    meant = {noun, noun.removesuffix("s"), ALSO.get(noun, noun)}
    assert meant & glossary(), f"{noun}: docs/glossary.md does not say what it is"


def test_every_room_has_a_door_number():
    page = (ROOT / "docs" / "architecture.md").read_text()
    doors = re.findall(r"^\| ([\dA.]+) \| (.+?) \|", page, re.M)
    numbered = {room for _, rooms in doors for room in re.findall(r"`(\w+)`", rooms)}
    house = [ROOT / "src" / "perron", ROOT / "src" / "perron" / "agent"]
    rooms = {each.parent.name for floor in house for each in floor.glob("[a-z]*/__init__.py")}
    assert rooms - {"migrations"} - numbered == set()
    assert len({door for door, _ in doors}) == len(doors)


@pytest.mark.parametrize("page", [each for each in PAGES if "```toml" in each.read_text()])
def test_every_perron_toml_on_a_page_is_sound(page):
    for example in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.M | re.S):
        toml.parse(example)


def test_every_decision_is_listed():
    index_page = (ROOT / "docs" / "README.md").read_text()
    decisions = {each.name for each in (ROOT / "docs" / "decisions").glob("*.md")}
    assert {each for each in decisions if f"decisions/{each}" not in index_page} == set()


def test_every_page_for_people_is_in_the_index():
    index_page = (ROOT / "docs" / "README.md").read_text()
    pages = [*ROOT.glob("docs/how-to/*.md"), *ROOT.glob("docs/reference/*.md")]
    assert [each.name for each in pages if f"/{each.name})" not in index_page] == []
