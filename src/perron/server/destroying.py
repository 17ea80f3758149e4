"""``perron platform destroy``: nothing of a platform is left on this machine."""

import os
import shutil
import subprocess
from pathlib import Path

import click

from perron import agent
from perron.kit import settings
from perron.kit.problems import Problem
from perron.kit.settings import Home

from . import claims, processes, trust, units
from .screen import say


class DestroyRefused(Problem):
    """The platform was not named, or there is none."""


def destroy(*, yes: str | None) -> int:
    """End and remove apps, processes, groups, claims, trust and home, when its name was said."""
    home = Home.from_environment(os.environ)
    _check(home)
    _ask(home, yes)
    _remove_units(home)
    processes.wish_down(home, down=True)
    for name in processes.NAMES:
        processes.stop(home, name)
    stopped = agent.stop_everything(home, settings.load(home))
    if trust.is_trusted(home):
        trust.distrust(home)
    for claim in claims.of(home):
        claim.unlink(missing_ok=True)
    _remove(home.path)
    _forget(home)
    say(f"Gone: {stopped} instances, the edge, server, agent, and everything in {home.path}.")
    return 0


def _check(home: Home) -> None:
    """Refuse what is not a platform: a wrong PERRON_HOME must cost nobody their files."""
    if not home.settings.exists() or not home.run.is_dir():
        raise DestroyRefused(
            f"There is no platform in {home.path}; nothing was touched. PERRON_HOME says which."
        )
    if home.path.is_symlink() or home.path in (Path("/"), Path.home()):
        raise DestroyRefused(f"{home.path} is more than a platform's home; nothing was touched.")


def _ask(home: Home, yes: str | None) -> None:
    say(f"This ends every app of {home.path} and deletes all their data, builds and backups.")
    if yes is None and os.isatty(0):
        yes = click.prompt(f"Type its name ({home.path.name}) to go on", err=True)
    if yes not in (home.path.name, str(home.path)):
        raise DestroyRefused(
            f"Nothing was touched. To go on: perron platform destroy --yes {home.path.name}"
        )


def _remove_units(home: Home) -> None:
    if not units.are_installed(home):
        return
    folder, control = units.places()
    names = [*units.NAMES.values(), units.APPS]
    for words in (["disable", "--now", *names], ["daemon-reload"]):
        subprocess.run([*control.split(), *words], capture_output=True, check=False)  # noqa: S603
        for name in names:
            (folder / name).unlink(missing_ok=True)


def _forget(home: Home) -> None:
    """Have the command line remember no folder's app there."""
    from perron.client import links

    links.forget(f"unix://{home.api_socket}")


def _remove(folder: Path) -> None:
    """Remove a tree, read-only folders of finished builds included."""

    def again(remove: object, path: str, _why: object) -> None:
        os.chmod(os.path.dirname(path), 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            shutil.rmtree(path, onerror=again)
        else:
            os.unlink(path)

    shutil.rmtree(folder, onerror=again)
    if folder.exists():
        raise DestroyRefused(f"Something in {folder} cannot be removed; look who uses it.")
