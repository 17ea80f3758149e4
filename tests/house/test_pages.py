"""What the pages for people say is so."""

import re
import shlex
from pathlib import Path

import click
import pytest

from perron.agent import places
from perron.builds.model import fields, toml
from perron.cli import index
from perron.cli.main import perron

DOCS = Path(__file__).parents[2] / "docs"
DEPLOY = (DOCS / "how-to" / "deploy.md").read_text()
ENVIRONMENT = (DOCS / "reference" / "environment.md").read_text()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands():
    lines = "".join(blocks(DEPLOY, "sh")).splitlines()
    inline = re.findall(r"`(perron [^`]+)`", DEPLOY + ENVIRONMENT)
    return sorted({each for each in [*lines, *inline] if each.startswith("perron ")})


@pytest.mark.parametrize("example", blocks(DEPLOY, "toml"))
def test_every_perron_toml_that_is_shown_is_sound(example):
    toml.parse(example)


def test_every_key_of_perron_toml_is_shown():
    shown = "".join(blocks(DEPLOY, "toml"))
    tables = [*fields.TABLES.values(), fields.PROCESS, fields.HEALTH, fields.VOLUME, fields.CRON]
    keys = {key for table in tables for key in table} - {"health", "path", "kind"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", shown)} == set()


@pytest.mark.parametrize("line", commands())
def test_every_command_that_is_shown_exists(line):
    words = shlex.split(line, comments=True)[1:]
    if words[0] in index.PERROND:
        return  # perrond's own
    command, context = perron, click.Context(perron)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    known = {option for each in command.params for option in each.opts} | {"-a", "-e"}
    assert [word for word in words if word.startswith("-") and word not in (*known, "-")] == []


def test_every_port_that_apps_may_connect_to_is_named():
    table = ENVIRONMENT[ENVIRONMENT.index("| for | ports |") : ENVIRONMENT.index("Builds reach")]
    assert {int(each) for each in re.findall(r"\d+", table)} == {*places.CONNECT}
