"""A restart: new instances of the same release, brought in like a new one."""

from perron import catalog, operations
from perron.kit.db import UnitOfWork
from perron.kit.problems import Permanent
from perron.operations import Operation, Step, Work
from perron.releases import store
from perron.releases.model.editions import STARTING
from perron.releases.service import reading, rollout

from .deploying import LONG, shift_visitors, wait_drained, wait_healthy
from .seeing import place


def start_instances(work: Work) -> None:
    """Have new instances of what is live started beside the old ones."""
    with work.reading() as uow:
        environment = place(uow, work)
        starting = rollout.edition_of(uow, environment.id, phase=STARTING)
        release = reading.live_release(uow, environment.id)
    if release is None:
        raise Permanent("Nothing is live here any more.")
    if starting is None:
        with work.transaction() as uow:
            rollout.begin_again(uow, environment, release)
    wait_healthy(work, environment)


def lead_visitors(work: Work) -> None:
    """Have visitors led to the new instances."""
    with work.reading() as uow:
        environment = place(uow, work)
    shift_visitors(work, environment)


def drain(work: Work) -> None:
    """Have the old instances end when nothing is in flight on them."""
    with work.reading() as uow:
        environment = place(uow, work)
    wait_drained(work, environment)


def note_ended(uow: UnitOfWork, operation: Operation, _why: str, _state: str) -> None:
    """Have only what served before."""
    environment = catalog.environment_with(uow, operation.subject)
    editions = store.editions_of(uow, environment.id)
    if len(editions) > 1:
        rollout.take_back(uow, environment)


RESTART = operations.Workflow(
    steps=(
        Step("start", start_instances, within=LONG),
        Step("routes", lead_visitors, within=LONG),
        Step("drain", drain, within=LONG),
    ),
    failed=note_ended,
)
