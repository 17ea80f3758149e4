"""``perron help`` and ``perron commands``."""

import sys

import click

from . import index, voice
from .command import command
from .exits import MISTYPED, Stop


@command(examples="perron commands")
def commands() -> None:
    """List every command."""
    for group in index.GROUPS:
        voice.data(voice.paint(group, voice.BOLD, sys.stdout))
        for name, text in index.of_group(group):
            voice.data(f"  {name:<12}{text}")


@command("help", examples="perron help deploy\nperron help apps destroy")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Show help about a command: the same text as COMMAND --help."""
    if words and words[0] in index.PERROND:
        from .main import become_perrond

        become_perrond([*words, "--help"])
    shown = context.find_root()
    for word in words:
        shown = _inner(shown, word)
    voice.data(shown.get_help())


def _inner(context: click.Context, word: str) -> click.Context:
    group = context.command
    found = group.get_command(context, word) if isinstance(group, click.Group) else None
    if found is None:
        known = group.list_commands(context) if isinstance(group, click.Group) else []
        near = index.nearest(word, known)
        hint = f" Did you mean {near}?" if near else ""
        raise Stop(f"No command {context.command_path} {word}.{hint}", MISTYPED)
    return click.Context(found, info_name=word, parent=context)
