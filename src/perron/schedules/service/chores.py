"""What the platform itself does by the clock: kept and told like every other schedule."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from perron.kit import clock
from perron.kit.db import Database, UnitOfWork, unit_of_work
from perron.schedules import store
from perron.schedules.model import PLATFORM, RUNNING, Schedule, changed, next_of

log = logging.getLogger(__name__)

QUIET = 60.0  # seconds in which a server that was just started has better things to do


@dataclass(frozen=True)
class Chore:
    """Something the platform does: what it is for, when, and how; it raises when it failed."""

    about: str
    expression: str
    act: Callable[[], object]


class Chores:
    """The platform's chores, and those that are being done."""

    def __init__(self, chores: Mapping[str, Chore], *, quiet: float = QUIET) -> None:
        self._chores = chores
        self._doing: set[str] = set()
        self._from = time.monotonic() + quiet

    @property
    def is_quiet(self) -> bool:
        """Say whether it is too early to begin any by itself."""
        return time.monotonic() < self._from

    def follow(self, database: Database) -> None:
        """Have exactly these schedules for the platform; when they come next is kept."""
        with unit_of_work(database) as uow:
            known = {each.name: each for each in store.of(uow, PLATFORM)}
            for name, chore in self._chores.items():
                _follow_one(uow, name, chore, known.pop(name, None))
            for gone in known.values():
                store.drop(uow, gone.id)

    def begin(self, database: Database, run: str, name: str, close: Callable[..., None]) -> None:
        """Do a chore in a thread of its own; ``close`` is told how it ended."""
        with unit_of_work(database) as uow:
            store.set_run(uow, run, state=RUNNING, started=clock.now())
        self._doing.add(run)
        thread = threading.Thread(target=self._do, args=(run, name, close), name=f"chore {name}")
        thread.daemon = True
        thread.start()

    def is_doing(self, run: str) -> bool:
        """Say whether this server does it: what an earlier one did ended with it."""
        return run in self._doing

    def _do(self, run: str, name: str, close: Callable[..., None]) -> None:
        fault = ""
        try:
            self._chores[name].act()
        except Exception as why:
            log.exception("The platform's %s failed.", name)
            fault = str(why) or type(why).__name__
        try:
            close(fault)
        finally:
            self._doing.discard(run)


def _follow_one(uow: UnitOfWork, name: str, chore: Chore, known: Schedule | None) -> None:
    now = clock.now()
    if known is None:
        made = Schedule(
            f"cron_platform_{name}", PLATFORM, name, chore.expression, "UTC", chore.about, "skip",
            86_400.0, True, PLATFORM, now, "perron", None,
        )  # fmt: skip
        store.save(uow, changed(made, now, next_at=next_of(made, now)))
        return
    newer = changed(known, now, expression=chore.expression, command=chore.about)
    if newer != known:
        store.save(uow, newer)
