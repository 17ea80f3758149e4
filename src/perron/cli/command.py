"""What every command has: help with examples first, and the flags all share."""

from collections.abc import Callable
from typing import Any

import click

from .exits import MISTYPED, Stop
from .index import nearest

HELP = {"help_option_names": ["-h", "--help"]}


class Command(click.Command):
    """A command whose help begins with examples."""

    def __init__(self, *given: Any, examples: str = "", **named: Any) -> None:
        named.setdefault("context_settings", {})
        named["context_settings"] = HELP | named["context_settings"]
        super().__init__(*given, **named)
        self.examples = [each.strip() for each in examples.strip().splitlines() if each.strip()]
        self.params.extend(_shared())

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, then what it does, then its flags."""
        if self.examples:
            for example in self.examples:
                formatter.write(f"  {example}\n")
            formatter.write_paragraph()
        self.format_help_text(ctx, formatter)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        self.format_options(ctx, formatter)


class Group(click.Group):
    """Commands of one noun."""

    command_class = Command

    def __init__(self, *given: Any, default: str = "", **named: Any) -> None:
        named.setdefault("context_settings", {})
        named["context_settings"] = HELP | named["context_settings"]
        super().__init__(*given, **named)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``perron apps -n 3`` for ``perron apps list -n 3``."""
        first = args[0] if args else "--"
        if self.default and first.startswith("-") and first not in HELP["help_option_names"]:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one was meant."""
        if args[0] not in self.commands:
            raise no_command(ctx.command_path, args[0], sorted(self.commands))
        return super().resolve_command(ctx, args)


def no_command(path: str, typed: str, known: list[str]) -> Stop:
    """Say that there is no such command, and which one was probably meant."""
    near = nearest(typed, known)
    hint = f"Did you mean {path} {near}?" if near else f"Next: {path} --help"
    return Stop(f"No command {f'{path} {typed}'.removeprefix('perron ')}. {hint}", MISTYPED)


def command(name: str | None = None, **named: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command of ours."""
    return click.command(name, cls=Command, **named)


def group(name: str | None = None, **named: Any) -> Callable[[Callable[..., Any]], Group]:
    """Make a function a group of ours; ``default`` is the command meant when none is named."""
    return click.group(name, cls=Group, **named)


def _shared() -> list[click.Parameter]:
    return [
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            expose_value=False,
            callback=_remember,
            help="Colour; by default where it is seen.",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Print nothing; the exit code tells.",
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Say more: why, and the request's id.",
        ),
    ]


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value:
        context.find_root().meta[f"perron.{option.name}"] = value
