"""Continues the chain soon after something happened, and signs where it ends."""

import logging
import time
from threading import Event

from perron.kit import bell
from perron.kit.db import Database, UnitOfWork, reading, unit_of_work
from perron.kit.settings import Home

from . import service

log = logging.getLogger(__name__)

PACE = 1.0  # the chain follows events at most this often, so that it slows none of them down
RESYNC = 30.0
FOR_GOOD = 600.0  # how often a head goes into the journal, while something happens


class Keeper:
    """Keeps the chain of one home, and remembers what it has said about it."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._home = home
        self._published: float | None = None
        self._told = ""

    def look(self, *, for_good: bool = False) -> None:
        """Give every event its link, then sign the end of the chain if it goes on from its head."""
        self._note_restart()
        while self._is_behind():
            with unit_of_work(self._database) as uow:
                service.chain_on(uow)
        with reading(self._database) as uow:
            fault = service.standing(uow, self._home)
            if fault:
                self._tell(fault.text)
                return
            self._sign(uow, for_good=for_good or self._is_due())

    def _sign(self, uow: UnitOfWork, *, for_good: bool) -> None:
        head = service.sign(uow, self._home, for_good=for_good)
        if head and for_good:
            self._published = time.monotonic()

    def _is_due(self) -> bool:
        return self._published is None or time.monotonic() - self._published > FOR_GOOD

    def _is_behind(self) -> bool:
        with reading(self._database) as uow:
            return service.is_behind(uow)

    def _note_restart(self) -> None:
        """Write down a restart that was published while no server ran."""
        head = service.last_restart(self._home) if self._published is None else None
        if head:
            with unit_of_work(self._database) as uow:
                service.note_restart(uow, head)

    def _tell(self, text: str) -> None:
        if text != self._told:
            log.error("The audit trail: %s Next: perron audit verify", text)
        self._told = text


def run(database: Database, home: Home, stop: Event) -> None:
    """Keep the chain until told to stop; what fails is logged and tried again."""
    keeper = Keeper(database, home)
    while not stop.is_set():
        heard = bell.heard()
        _look(keeper)
        stop.wait(PACE)
        bell.wait(heard, RESYNC)
    _look(keeper, for_good=True)


def _look(keeper: Keeper, *, for_good: bool = False) -> None:
    try:
        keeper.look(for_good=for_good)
    except Exception:
        log.exception("The audit trail could not be continued; that is tried again.")
