"""Looks after every unfinished operation: who may run, who waits, who is to stop.

It sleeps until the bell rings, a back-off ends, or two seconds have passed. Each attempt runs
in a thread of a bounded pool; what waits for the world holds none.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from perron.kit import bell, clock
from perron.kit.db import Database, reading, unit_of_work
from perron.operations import store
from perron.operations.model import Operation
from perron.operations.ports import Workflow

from . import owner
from .advance import LEASE, advance, stop_child, take
from .job import Job

log = logging.getLogger(__name__)

RESYNC = 2.0
RENEW = 10.0
SOONEST, SOON = 0.01, 0.05  # how quickly a step that waits looks again when the bell rings
BACK_OFF, LONGEST = 0.5, 5.0  # and when it does not


class Controller:
    """Takes operations forward until it is told to stop."""

    def __init__(
        self, database: Database, workflows: Mapping[str, Workflow], *, workers: int = 32
    ) -> None:
        self._database = database
        self._workflows = workflows
        self._owner = owner.me()
        self._jobs: dict[str, Job] = {}
        self._alarm = Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="operation")
        self._renewed = time.monotonic()

    def run(self, stop: Event) -> None:
        """Go on until told to stop; ring the bell after setting ``stop`` to be heard at once."""
        with bell.listening(self._alarm.set):
            while not stop.is_set():
                self._alarm.clear()
                self._alarm.wait(self._look_safely())
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look_safely(self) -> float:
        try:
            return self._look()
        except Exception:
            log.exception("The operations could not be looked at; that is tried again.")
            return RESYNC

    def _look(self) -> float:
        """Give every operation that can go on a thread; return how long there is nothing to do."""
        heard = bell.heard()
        with reading(self._database) as uow:
            unfinished = store.unfinished(uow)
        self._forget({each.id for each in unfinished})
        self._renew()
        locks = {each.lock for each in unfinished if each.state == "running"}
        for operation in unfinished:
            job = self._jobs.get(operation.id)
            if job:
                if not job.is_over:
                    locks.add(operation.lock)  # it may be on its way to taking it
                self._look_at(job, operation, heard)
            elif self._is_free(operation, locks):
                locks.add(operation.lock)
                self._jobs[operation.id] = job = Job(self._database, operation)
                self._give(job, heard, self._begin)
        times = [job.retry_at for job in self._jobs.values() if not job.is_busy]
        return max(0.0, min([RESYNC, *(each - time.monotonic() for each in times)]))

    def _is_free(self, operation: Operation, locks: set[str]) -> bool:
        """Say whether nobody has the operation in hand, nor its lock."""
        if operation.state == "waiting":
            return operation.lock not in locks
        if operation.state != "running":
            return True
        if operation.owner is None or owner.is_gone(operation.owner):
            return True
        is_expired = operation.lease_until is None or operation.lease_until < clock.now()
        return is_expired and operation.owner != self._owner

    def _look_at(self, job: Job, operation: Operation, heard: int) -> None:
        is_news = operation.cancel != job.operation.cancel
        job.look(operation)
        if job.is_busy:
            if is_news and job.step and job.cancelled and not job.is_stopping:
                job.is_stopping = True
                self._pool.submit(stop_child, job, job.step)
            return
        now = time.monotonic()
        if is_news or now >= job.retry_at or (heard > job.heard and now >= job.not_before):
            self._give(job, heard, self._attempt)
        elif heard > job.heard:
            job.retry_at = min(job.retry_at, job.not_before)

    def _give(self, job: Job, heard: int, what: Callable[[Job], None]) -> None:
        job.is_busy, job.is_stopping, job.heard = True, False, heard
        self._pool.submit(self._do, job, what)

    def _do(self, job: Job, what: Callable[[Job], None]) -> None:
        try:
            what(job)
        except Exception:
            log.exception("Operation %s is tried again.", job.operation.id)
        now, tries = time.monotonic(), min(job.tries, 10)
        at_most = max(SOON, 0.005 * len(self._jobs))
        job.not_before = now + min(SOONEST * 2**tries, at_most)
        job.retry_at = now + min(BACK_OFF * 2**tries, LONGEST)
        job.is_busy = False
        self._alarm.set()

    def _begin(self, job: Job) -> None:
        if job.operation.is_over or take(job, self._owner):
            self._attempt(job)
        else:
            job.is_over = True

    def _attempt(self, job: Job) -> None:
        advance(job, self._workflows)

    def _forget(self, unfinished: set[str]) -> None:
        for id, job in list(self._jobs.items()):
            if not job.is_busy and (job.is_over or id not in unfinished):
                del self._jobs[id]

    def _renew(self) -> None:
        if not self._jobs or time.monotonic() - self._renewed < RENEW:
            return
        self._renewed = time.monotonic()
        with unit_of_work(self._database) as uow:
            store.renew(uow, list(self._jobs), self._owner, clock.now() + LEASE)


def run_once(database: Database, workflows: Mapping[str, Workflow]) -> None:
    """Take every unfinished operation as far as it goes now, here, one after the other."""
    with reading(database) as uow:
        unfinished = store.unfinished(uow)
    this = owner.me()
    for operation in unfinished:
        job = Job(database, operation)
        if operation.is_over or take(job, this):
            advance(job, workflows)
