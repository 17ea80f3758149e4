"""Flags that many commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from . import completing

Function = TypeVar("Function", bound=Callable[..., Any])


def in_app(function: Function) -> Function:
    """Add ``-a, --app``."""
    return click.option(
        "-a",
        "--app",
        metavar="NAME",
        shell_complete=completing.apps,
        help="The app; else the folder's.",
    )(function)


def in_place(function: Function) -> Function:
    """Add ``-a, --app`` and ``-e, --env``."""
    env = click.option(
        "-e",
        "--env",
        "environment",
        metavar="NAME",
        default="production",
        envvar="PERRON_ENVIRONMENT",
        help="The environment; production by default.",
    )
    return in_app(env(function))


def of_team(function: Function) -> Function:
    """Add ``--team``."""
    return click.option("--team", metavar="NAME", help="The team; else the only one you are in.")(
        function
    )


def shaped(function: Function) -> Function:
    """Add ``--json`` and ``--tsv``: given as ``shape``."""
    tsv = click.option("--tsv", "shape", flag_value="tsv", help="Tabs between columns.")
    as_json = click.option("--json", "shape", flag_value="json", help="One JSON document.")
    table = click.option("--table", "shape", flag_value="table", default="table", hidden=True)
    return as_json(tsv(table(function)))


def as_json(function: Function) -> Function:
    """Add ``--json`` alone."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document.")(function)


def detached(function: Function) -> Function:
    """Add ``--detach``."""
    return click.option(
        "--detach", is_flag=True, help="Ask for it and leave; do not wait for the end."
    )(function)


def confirmed(function: Function) -> Function:
    """Add ``-y, --yes``."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)
