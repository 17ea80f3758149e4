"""Writes down how instances are: what changes in the same moment is one transaction."""

import asyncio
import logging

from sqlalchemy.exc import OperationalError

from perron.kit.db import Database, unit_of_work

from . import store
from .model import Instance

GATHER = 0.02  # seconds in which changes become one transaction
log = logging.getLogger("perron.agent")


class Ledger:
    """What is still to be written down; on a full disk it waits here until there is room.

    An agent that is killed before takes an instance up as it was a moment ago and looks anew.
    What must be known to it, such as a port before something listens there or that an instance
    is well before visitors are led to it, is written at once: ``write``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._due: dict[str, Instance] = {}
        self._soon: asyncio.TimerHandle | None = None
        self._is_told = False

    def note(self, instance: Instance) -> None:
        """Have an instance written down as it is now, in a moment."""
        self._due[instance.id] = instance
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(GATHER, self.write)

    def forget(self, instance: str) -> None:
        """Write nothing more of an instance that is no more."""
        self._due.pop(instance, None)

    def write(self) -> None:
        """Write down what is due; what cannot be written is tried again at the next."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if not self._due:
            return
        try:
            with unit_of_work(self._database) as uow:
                store.change(uow, *self._due.values())
            self._due.clear()
            self._is_told = False
        except OperationalError as why:
            if not self._is_told:
                told = "Instances go on, but node.db cannot be written now (make room): %s"
                log.warning(told, why.orig)
            self._is_told = True
