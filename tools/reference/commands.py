"""Every command with its options, from the commands themselves."""

import inspect
import re
from collections.abc import Iterator

import click

from perron.cli import index
from perron.cli.main import perron
from perron.server.main import main as perrond

HEAD = """# Commands

Every command with all its options. `perron help NAME` says the same, with examples. What all
commands share (exit codes, which platform, which app, output for machines) is in
[cli.md](cli.md). `-h` and, where something is printed, `--color`, `-q` and `-v` are everywhere.

This page is made from the code by `python -m tools.reference`.
"""
EVERYWHERE = {"--help", "--color", "--quiet", "--verbose"}


def page() -> str:
    """Return the page: a section for each command, by name."""
    names = sorted(index.COMMANDS)
    return HEAD + "".join(_section(f"perron {name}", _command(name)) for name in names)


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Return every command that can be typed, with its words."""
    for name in index.COMMANDS:
        yield from _below(f"perron {name}", _command(name))


def _command(name: str) -> click.Command:
    return _inside(perrond if name in index.PERROND else perron, name)


def _inside(group: click.Group, name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    if found is None:
        raise LookupError(f"{name} is in the index, and nowhere else.")
    return found


def _below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from _below(f"{words} {name}", _inside(command, name))


def _section(words: str, command: click.Command) -> str:
    parts = [_entry(words_, each) for words_, each in _below(words, command)]
    return f"\n## {words}\n" + "".join(parts)


def _entry(words: str, command: click.Command) -> str:
    if isinstance(command, click.Group):
        return f"\n{_text(command)}\n"
    options = [each for each in command.params if isinstance(each, click.Option)]
    own = [each for each in options if each.help and not EVERYWHERE & {*each.opts}]
    takes = " ".join([words, *_arguments(command), *(["[OPTIONS]"] if own else [])])
    rows = "".join(f"| `{_names(each)}` | {_plain(each.help or '')} |\n" for each in own)
    table = f"\n| option | |\n|---|---|\n{rows}" if rows else ""
    return f"\n**`{takes}`** {_text(command)}\n{table}"


def _arguments(command: click.Command) -> list[str]:
    context = click.Context(command)
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    return [each.make_metavar(context) for each in arguments]


def _names(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {' or '.join(str(each) for each in option.type.choices)}"
    return f"{names} {option.metavar or option.type.name.split()[0].upper()}"


def _text(command: click.Command) -> str:
    return _plain(inspect.cleandoc((command.help or "").split("\f")[0]))


def _plain(text: str) -> str:
    """Return text as one line of a page."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()
