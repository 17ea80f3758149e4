"""What a shell offers when Tab is pressed: apps, releases and instances of the platform."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

PATIENCE = 0.3  # a shell that hangs on Tab is worse than one that offers nothing
Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def apps(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Offer the apps."""
    from perron.client import verbs

    return _offer(typed, lambda client: (each["name"] for each in verbs.apps(client)))


def releases(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Offer the numbers of releases."""
    from perron.client import verbs

    def numbers(client: Any) -> Iterable[str]:
        return (str(each["number"]) for each in verbs.releases(client, _place(client, context)))

    return _offer(typed, numbers)


def instances(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Offer the names of instances."""
    from perron.client import verbs

    def names(client: Any) -> Iterable[str]:
        return (each["name"] for each in verbs.instances(client, _place(client, context)))

    return _offer(typed, names)


def _offer(typed: str, find: Callable[[Any], Iterable[str]]) -> list[str]:
    """Return what begins as typed; nothing at all when the platform cannot be asked."""
    from perron.client import Client, Fault, find_login

    from .exits import Stop

    try:
        login = find_login(os.environ)
        client = Client(login.url, login.token, gone=PATIENCE, nobody=PATIENCE)
        return [each for each in find(client) if each.startswith(typed)]
    except (Fault, Stop):
        return []


def _place(client: Any, context: click.Context) -> Any:
    from perron.client import Place

    from . import places

    found = places.find(client, context.params.get("app"), Path.cwd())
    environment = context.params.get("environment") or "production"
    return Place(found.app if found else "", environment)
