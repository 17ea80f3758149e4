"""The house itself: files stay small, every name is explained, and references are up to date."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import perron
from tools import events, openapi

ROOT = Path(perron.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
PROJECT = Path(__file__).resolve().parents[2]
TESTS = sorted((PROJECT / "tests").rglob("test_*.py"))
GENERATED = "versions"
HEAVY = ("sqlalchemy", "fastapi", "pydantic", "httpx", "rich", "starlette", "websockets")
FORBIDDEN = ("TODO", "FIXME", "XXX")


def name_of(file):
    return str(file.relative_to(PROJECT))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_fits_in_one_sitting(file):
    if file.parent.name != GENERATED:
        assert len(file.read_text().splitlines()) <= 400


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_module_class_and_public_function_says_what_it_gives(file):
    tree = ast.parse(file.read_text())
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
    ]
    silent = [
        getattr(node, "name", "module") for node in (tree, *public) if not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_is_left_for_later(file):
    words = set(file.read_text().split())
    assert not words & set(FORBIDDEN)


@pytest.mark.parametrize("file", TESTS, ids=name_of)
def test_the_name_of_a_test_is_a_sentence(file):
    short = [
        node.name
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 2
    ]
    assert short == []


@pytest.mark.parametrize(
    "asked",
    [["--help"], ["deploy", "--help"], ["releases", "--help"], ["apps", "create", "--help"]],
)
def test_help_loads_nothing_heavy(asked):
    script = (
        "import sys\n"
        "from perron.cli.main import main\n"
        f"sys.argv = ['perron', *{asked!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_agent_and_the_server_share_no_table():
    from perron.agent.store import metadata as node
    from perron.kit.tables import metadata

    shared = {id(each) for each in metadata.tables.values()}
    assert not shared & {id(each) for each in node.tables.values()}


def test_the_api_is_the_one_kept_in_git():
    assert openapi.SNAPSHOT.read_text() == openapi.document(), "run: python -m tools.openapi"


def test_the_catalogue_of_events_is_up_to_date():
    assert events.REFERENCE.read_text() == events.document(), "run: python -m tools.events"


def test_the_type_of_an_event_is_recorded_by_one_room_alone():
    types = [each.type for each in events._kinds()]
    assert len(types) == len(set(types))


def test_every_word_of_the_house_is_in_the_glossary():
    glossary = (PROJECT / "docs" / "glossary.md").read_text()
    nouns = ("app", "build", "environment", "event", "instance", "operation", "release", "wish")
    assert [word for word in nouns if f"**{word}**" not in glossary] == []
