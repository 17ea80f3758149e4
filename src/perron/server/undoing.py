"""What is moved aside for something else, and moved back when that fails on the way."""

import errno
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perron import agent
from perron.kit import files

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
log = logging.getLogger(__name__)


class Moves:
    """What happened so far, and how each of it is undone."""

    def __init__(self, aside: Path) -> None:
        self._aside = aside
        self._steps: list[Callable[[], Any]] = []

    def then(self, undo: Callable[..., Any], *arguments: Any) -> None:
        """Note how what is done next is undone."""
        self._steps.append(lambda: undo(*arguments))

    def folder(self, present: Path, name: str) -> None:
        """Move a folder aside under this name; what takes its place goes when it comes back."""
        kept = self._aside / name

        def back() -> None:
            agent.remove_tree(present)
            if kept.exists():
                kept.rename(present)

        if present.exists():
            files.private_folder(kept.parent)
            present.rename(kept)
        self._steps.append(back)

    def databases(self, target: Path) -> None:
        """Note that a database is about to be moved aside with its log."""

        def back() -> None:
            if not (self._aside / target.name).exists():
                return
            for end in ("-wal", "-shm", ""):
                target.with_name(target.name + end).unlink(missing_ok=True)
            for end in ("-wal", "-shm", ""):
                kept = self._aside / (target.name + end)
                if kept.exists():
                    os.replace(kept, target.with_name(kept.name))

        self._steps.append(back)

    def undo(self) -> None:
        """Put everything back, the last thing first."""
        for step in reversed(self._steps):
            try:
                step()
            except Exception:
                log.exception("Something could not be put back; it is kept in %s.", self._aside)


@contextmanager
def moved(aside: Path) -> Iterator[Moves]:
    """Give what notes moves into the folder; they are undone when the work fails."""
    moves = Moves(aside)
    try:
        yield moves
    except BaseException:
        moves.undo()
        raise


def is_full(why: BaseException) -> bool:
    """Say whether something failed because there was no room."""
    if isinstance(why, sqlite3.Error):
        return "full" in str(why)
    return isinstance(why, OSError) and why.errno in FULL
