"""An operation in the hands of the controller; what a step sees as its ``Work``."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from perron.kit import clock, db
from perron.kit.db import Database, UnitOfWork, unit_of_work
from perron.operations import store
from perron.operations.model import Operation
from perron.operations.ports import Step


class Lost(Exception):
    """Another server has taken the operation over; this one lets it go."""


class Job:
    """One operation, what is known of it, and when to look at it again."""

    def __init__(self, database: Database, operation: Operation) -> None:
        self.database = database
        self.operation = operation
        self.step: Step | None = None  # begun by us and not through: no need to probe it
        self.began = 0.0
        self.message = ""
        self.tries = 0
        self.is_busy = False
        self.is_over = False
        self.is_stopping = False
        self.heard = 0
        self.not_before = 0.0
        self.retry_at = 0.0

    @property
    def cancelled(self) -> str | None:
        """The end somebody asked for, unless the present step survives it."""
        wanted = self.operation.cancel
        return None if self.step and wanted in self.step.survives else wanted

    @contextmanager
    def transaction(self) -> Generator[UnitOfWork]:
        """Open a transaction whose events name this operation's family as their cause."""
        operation = self.operation
        with unit_of_work(
            self.database,
            actor=operation.actor,
            correlation=operation.correlation,
            actor_kind=operation.actor_kind,
        ) as uow:
            self._check_ours(uow)
            yield uow

    @contextmanager
    def reading(self) -> Generator[UnitOfWork]:
        """Open a transaction that only reads."""
        with db.reading(self.database) as uow:
            yield uow

    def say(self, text: str, **facts: object) -> None:
        """Keep one line of progress."""
        step = self.step.name if self.step else ""
        with self.transaction() as uow:
            store.say(uow, self.operation.id, step, text, facts)

    def look(self, operation: Operation) -> None:
        """Take in what somebody else may have changed: the end they ask for."""
        self.operation = replace(
            self.operation, cancel=operation.cancel, cancel_reason=operation.cancel_reason
        )

    def mark(self, step: Step, state: str, **values: Any) -> None:
        """Write down how far a step came."""
        with self.transaction() as uow:
            store.mark_step(uow, self.operation.id, step.name, state, **values)

    def begin(self, step: Step, started_at: datetime | None) -> None:
        """Remember when a step began, by a clock that nobody can set."""
        ago = (clock.now() - started_at).total_seconds() if started_at else 0.0
        self.step, self.began = step, time.monotonic() - max(ago, 0.0)
        self.message, self.tries = "", 0

    def is_late(self) -> bool:
        """Say whether the present step has had its time."""
        within = self.step.within if self.step else None
        return within is not None and time.monotonic() - self.began > within.total_seconds()

    def _check_ours(self, uow: UnitOfWork) -> None:
        known = store.find(uow, self.operation.id)
        if known is None or known.fence != self.operation.fence:
            raise Lost(self.operation.id)
