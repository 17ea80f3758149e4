"""Mistyped commands, told with what was probably meant."""

from difflib import get_close_matches

import click

from . import index


def explain(why: click.UsageError) -> str:
    """Return a sentence about a usage error, with the nearest right word."""
    if isinstance(why, click.NoSuchOption):
        return _no_option(why)
    if why.ctx and isinstance(why.ctx.command, click.Group) and why.message.startswith("No such"):
        return _no_command(why.ctx)
    lines = [_sentence(why.format_message())]
    if why.ctx:
        lines.append(why.ctx.get_usage())
        lines += [f"Example: {each}" for each in getattr(why.ctx.command, "examples", [])[:1]]
    return "\n".join(lines)


def _no_option(why: click.NoSuchOption) -> str:
    known = [name for each in _options(why.ctx) for name in each.opts if name.startswith("--")]
    near = get_close_matches(why.option_name, known, 3, 0.5)
    command = why.ctx.command_path if why.ctx else "perron"
    if near:
        return f"{command} has no {why.option_name}. Did you mean {' or '.join(near)}?"
    return f"{command} has no {why.option_name}. Next: {command} --help"


def _no_command(context: click.Context) -> str:
    group = context.command
    assert isinstance(group, click.Group)  # noqa: S101 - asked before
    known = group.list_commands(context)
    typed = (context._protected_args or [""])[0]
    near = index.nearest(typed, known)
    hint = f"Did you mean {context.command_path} {near}?" if near else f"Known: {', '.join(known)}."
    return f"No command {context.command_path} {typed}. {hint}"


def _options(context: click.Context | None) -> list[click.Option]:
    params = context.command.params if context else []
    return [each for each in params if isinstance(each, click.Option)]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
