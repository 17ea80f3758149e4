"""Mistyped commands, told with what was probably meant."""

from difflib import get_close_matches

import click


def explain(why: click.UsageError) -> str:
    """Return a sentence about a usage error, with the nearest right word."""
    if isinstance(why, click.NoSuchOption):
        return _no_option(why)
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


def _options(context: click.Context | None) -> list[click.Option]:
    params = context.command.params if context else []
    return [each for each in params if isinstance(each, click.Option)]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
