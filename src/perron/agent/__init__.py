"""Agent: owns what runs on one machine, as a process of its own beside the server.

It hears wishes, keeps them in its own database, and keeps them true whether or not the server
lives. It knows the tools and the contract, and no other room. Each function loads only the rooms
it needs.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from perron.kit.settings import Home, Settings

if TYPE_CHECKING:
    from perron.contract.node import Interpreter, Promise

    from .keeping import KeptVolume

__all__ = [
    "interpreters",
    "kept_volumes",
    "make_fit",
    "migrate",
    "newest_state",
    "pack_volume",
    "promises",
    "remove_tree",
    "run",
    "stop_everything",
    "take_steps",
    "tier",
    "unpack_volume",
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


def migrate(home: Home) -> None:
    """Take the agent's database to the newest version, in one transaction; no agent may run."""
    from . import store

    store.prepare(home).dispose()


def take_steps(home: Home) -> None:
    """Take the database to the newest version in a child process, before there are threads."""
    from perron.kit import steps

    from . import migrations, store

    steps.take_ahead(home.node_database, migrations.FOLDER, lambda: store.prepare(home).dispose())


def newest_state() -> str:
    """Return the version of the agent's database that this code writes."""
    from perron.kit import steps

    from . import migrations

    return steps.known(migrations.FOLDER)[-1]


def promises(bwrap: str = "") -> "list[Promise]":
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


def interpreters(settings: Settings) -> "list[Interpreter]":
    """Return the language runtimes this machine offers, each tried by running it."""
    from . import builds

    return builds.interpreters(settings)


def kept_volumes(home: Home) -> "list[KeptVolume]":
    """Return every volume whose files are on this machine."""
    from . import keeping

    return keeping.volumes(home)


def pack_volume(volume: "KeptVolume", place: Path) -> None:
    """Write the files of a volume as an archive."""
    from . import keeping

    keeping.pack(volume, place)


def unpack_volume(home: Home, environment: str, name: str, archive: Path) -> None:
    """Make a volume of an archive; nothing of its environment may run."""
    from . import keeping

    keeping.unpack(home, environment, name, archive)


def make_fit(home: Home, before: Settings, now: Settings) -> None:
    """Make a database that came from another machine fit here, where nothing of it runs."""
    from . import keeping

    keeping.make_fit(home, before, now)


def remove_tree(folder: Path) -> None:
    """Remove a folder, finished builds that nobody may write to included."""
    from .builds import trees

    trees.remove(folder)
