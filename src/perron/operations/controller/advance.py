"""Takes one operation forward: ``started`` is committed before a step acts, ``done`` after."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.exc import IntegrityError, OperationalError

from perron.kit import clock
from perron.kit.problems import Permanent, Problem, Temporary
from perron.operations import store
from perron.operations.model import Answer, Ended, Mark
from perron.operations.ports import Step, Workflow, repeatable

from .job import Job, Lost

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)


def take(job: Job, owner: str) -> bool:
    """Become the one running operation of this lock, or take it from an owner that is gone.

    The database decides who is first: for each lock there is at most one running operation.
    """
    now, fence = clock.now(), job.operation.fence + 1
    held = {"owner": owner, "lease_until": now + LEASE, "fence": fence, "state": "running"}
    if job.operation.started_at is None:
        held["started_at"] = now
    try:
        with job.transaction() as uow:
            known = store.find(uow, job.operation.id)
            if known is None or known.is_over or not store.update(uow, known, **held):
                return False
            job.operation = store.find(uow, known.id) or known
    except (IntegrityError, Lost):
        return False
    return True


def advance(job: Job, workflows: Mapping[str, Workflow]) -> None:
    """Take an operation as far as it goes now; ``job.is_over`` says whether that is the end."""
    workflow = workflows.get(job.operation.work)
    try:
        if workflow is None:
            _park(job, f"This server does not know the work {job.operation.work!r}.")
        elif job.operation.is_over:
            settle(job, workflow)
        else:
            _go_on(job, workflow)
    except Lost:
        job.is_over = True
    except OperationalError as why:
        log.warning("Operation %s: the database would not take it: %s", job.operation.id, why)
    except Exception as fault:
        log.exception("Operation %s broke.", job.operation.id)
        _give_up(job, workflow, f"A fault of the platform, {fault!r}: its log says more.")


def settle(job: Job, workflow: Workflow) -> None:
    """Tell the room of an operation that was ended while it waited."""
    operation = job.operation
    with job.transaction() as uow:
        workflow.failed(uow, operation, operation.reason or "", operation.state)
        store.skip_rest(uow, operation.id)
        store.update(uow, operation, settled=True)
    job.is_over = True


def stop_child(job: Job, step: Step) -> None:
    """Stop what a step started, because its operation is to end; asked again when it fails."""
    try:
        if step.cancel:
            step.cancel(job)
    except Exception:
        log.exception("The child of %s in %s could not be stopped.", job.operation.id, step.name)


def _go_on(job: Job, workflow: Workflow) -> None:
    marks = _marks(job, workflow)
    for step in workflow.steps:
        if marks[step.name].state in ("done", "skipped"):
            continue
        try:
            if not _is_through(job, step, marks[step.name]):
                return
        except (Permanent, Problem, Ended) as why:
            _end(job, workflow, why)
            return
    _close(job, workflow, "done", None)


def _marks(job: Job, workflow: Workflow) -> dict[str, Mark]:
    """Return how far each step came; the first look writes down which steps there are."""
    names = [step.name for step in workflow.steps]
    with job.reading() as uow:
        marks = store.marks(uow, job.operation.id)
    if set(names) <= set(marks):
        return marks
    with job.transaction() as uow:
        store.lay_out(uow, job.operation.id, names)
        return store.marks(uow, job.operation.id)


def _is_through(job: Job, step: Step, mark: Mark) -> bool:
    """Do the step unless it is done; false when it has to wait."""
    is_ours = job.step is step
    if mark.started_at is None:
        if job.operation.cancel:  # between steps every end is taken
            raise Ended(job.operation.cancel, job.operation.cancel_reason or "")
        job.begin(step, None)
        job.mark(step, "started", started_at=clock.now())
    elif not is_ours:
        job.begin(step, mark.started_at)
        if mark.state == "started" and (answer := step.probe(job)) is not Answer.NOT_DONE:
            return _answered(job, step, answer)
    elif step.probe is not repeatable:
        job.mark(step, "started")
    return _do(job, step)


def _answered(job: Job, step: Step, answer: Answer) -> bool:
    if answer is Answer.CANNOT_TELL:
        _park(job, f"Step {step.name!r} died half way: look whether it was done, then cancel it.")
        return False
    _done(job, step)
    return True


def _do(job: Job, step: Step) -> bool:
    if _must_stop(job):
        _stop(job, step)
    try:
        step.act(job)
    except Temporary as why:
        if _must_stop(job):
            _stop(job, step)
        if job.is_late():
            raise Permanent(f"{why} It did not change within {step.within}.") from why
        _wait(job, step, str(why))
        return False
    except Permanent:
        if _must_stop(job):  # it failed because its child was stopped
            _stop(job, step)
        raise
    _done(job, step)
    return True


def _must_stop(job: Job) -> bool:
    """Ask the database, which knows of an end sooner than the controller's next look."""
    with job.reading() as uow:
        known = store.find(uow, job.operation.id)
    if known:
        job.look(known)
    return job.cancelled is not None


def _stop(job: Job, step: Step) -> None:
    if step.cancel:
        step.cancel(job)
    raise Ended(job.operation.cancel or "cancelled", job.operation.cancel_reason or "")


def _wait(job: Job, step: Step, why: str) -> None:
    """Write down what a step waits for, once for each reason."""
    job.tries += 1
    if why != job.message or step.probe is not repeatable:
        job.mark(step, "waiting", message=why)
    if why != job.message:
        job.message, job.tries = why, 0


def _done(job: Job, step: Step) -> None:
    job.mark(step, "done", finished_at=clock.now(), message="")
    job.step = None


def _end(job: Job, workflow: Workflow, why: Exception) -> None:
    if isinstance(why, Ended):
        _close(job, workflow, why.state, why.reason)
    else:
        _close(job, workflow, "failed", str(why))


def _close(job: Job, workflow: Workflow, state: str, reason: str | None) -> None:
    now, operation = clock.now(), job.operation
    with job.transaction() as uow:
        if state != "done":
            workflow.failed(uow, operation, reason or "", state)
            if job.step:
                ended = {"finished_at": now, "message": reason or ""}
                store.mark_step(uow, operation.id, job.step.name, "failed", **ended)
        store.skip_rest(uow, operation.id)
        over = {"state": state, "reason": reason, "finished_at": now, "settled": True}
        store.update(uow, operation, **over)
    job.is_over = True


def _give_up(job: Job, workflow: Workflow | None, why: str) -> None:
    """Fail an operation that broke; park it when not even that can be written down."""
    try:
        if workflow is not None and not job.operation.is_over:
            _close(job, workflow, "failed", why)
            return
    except Exception:
        log.exception("Operation %s could not be failed.", job.operation.id)
    _park(job, why)


def _park(job: Job, why: str) -> None:
    with job.transaction() as uow:
        store.update(uow, job.operation, state="parked", reason=why)
    job.is_over = True
