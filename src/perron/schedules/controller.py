"""Waits for what comes by the clock, and has it done."""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from threading import Event

from perron.kit import bell, clock
from perron.kit.db import Database, reading
from perron.kit.settings import Home

from . import store
from .service import running
from .service.chores import Chore, Chores

log = logging.getLogger(__name__)

PACE = 0.25  # at most four looks a second, however often the bell rings
RESYNC = 5.0
AGAIN = 1.0


def run(database: Database, home: Home, stop: Event, chores: Mapping[str, Chore]) -> None:
    """Go on until told to stop; what fails is logged and tried again."""
    ours = Chores(chores)
    ours.follow(database)
    while not stop.is_set():
        heard = bell.heard()
        look(database, home, ours)
        if stop.wait(PACE):
            return
        bell.wait(heard, _until_next(database))


def look(database: Database, home: Home, chores: Chores) -> None:
    """Write down what has come, and go on with what runs."""
    go_on = partial(running.go_on, database, home, chores)
    for act in (go_on, partial(running.note_due, database, chores), go_on):  # what ended makes room
        try:
            act()
        except Exception:
            log.exception("Schedules could not be looked after; that is tried again.")


def _until_next(database: Database) -> float:
    try:
        with reading(database) as uow:
            return _seconds_until(store.soonest(uow))
    except Exception:
        log.exception("Nobody could say which schedule comes next.")
        return RESYNC


def _seconds_until(at: datetime | None) -> float:
    if at is None:
        return RESYNC
    left = (at - clock.now()).total_seconds()
    return min(RESYNC, left) if left > 0 else AGAIN  # it is due, and waits for something
