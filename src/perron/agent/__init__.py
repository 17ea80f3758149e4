"""Agent: owns what runs on one machine, as a process of its own beside the server.

It hears wishes, keeps them in its own database, and keeps them true whether or not the server
lives. It knows the tools and the contract, and no other room. Each function loads only the rooms
it needs.
"""

from perron.contract.node import Interpreter, Promise
from perron.kit.settings import Home, Settings

__all__ = [
    "Interpreter",
    "Promise",
    "interpreters",
    "promises",
    "run",
    "stop_everything",
    "tier",
    "what_is_missing",
]


def run(home: Home, settings: Settings) -> None:
    """Be the agent of this home until told to end; exit with 75 when there is one already."""
    from .main import serve

    serve(home, settings)


def stop_everything(home: Home, settings: Settings) -> int:
    """End all instances, jobs and the edge of a home without an agent; return how many ran."""
    import asyncio

    from .ending import end_everything

    return asyncio.run(end_everything(home, settings))


def promises(bwrap: str = "") -> list[Promise]:
    """Return what the sandbox promises on this kernel for this user."""
    from . import sandbox

    return sandbox.promises(sandbox.find_bwrap(bwrap))


def tier(bwrap: str = "") -> str:
    """Return A (root), B (ordinary user with user namespaces) or C (neither)."""
    from . import sandbox

    return sandbox.tier(sandbox.find_bwrap(bwrap))


def what_is_missing(bwrap: str = "") -> str:
    """Say what keeps this machine from making a sandbox, and the command that closes it."""
    from . import sandbox

    return sandbox.what_is_missing(bwrap)


def interpreters(settings: Settings) -> list[Interpreter]:
    """Return the language runtimes this machine offers, each tried by running it."""
    from . import builds

    return builds.interpreters(settings)
