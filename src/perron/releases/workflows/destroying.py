"""The end of an environment or an app: nothing is left of it but its events."""

from perron import catalog, operations, runtime
from perron.catalog import Environment
from perron.kit.db import UnitOfWork
from perron.kit.nodeclient import AgentAway
from perron.kit.problems import NotFound, Temporary
from perron.operations import Step, Work
from perron.releases.service import ending


def end_instances(work: Work) -> None:
    """Wish that nothing is left, once no other work of the environments goes on."""
    with work.reading() as uow:
        if any(ending.has_work(uow, each) for each in _environments(uow, work)):
            raise Temporary("Waiting for the work that was on its way to end.")
    with work.transaction() as uow:
        for environment in _environments(uow, work):
            ending.end(uow, environment)


def wait_gone(work: Work) -> None:
    """Wait until the machine is seen to have nothing left."""
    with work.reading() as uow:
        left = [each for each in _environments(uow, work) if not runtime.has_ended(uow, each.id)]
    if left:
        names = ", ".join(each.name for each in left)
        raise Temporary(f"Waiting for instances, files and routes to go: {names}.")


def drop_builds(work: Work) -> None:
    """Have the files of builds removed that nothing else runs."""
    with work.reading() as uow:
        engine = runtime.engine(uow)
        dropped = ending.builds_only_of(uow, _environments(uow, work))
    try:
        for build in dropped:
            engine.drop_build(build)
    except AgentAway as away:
        raise Temporary(str(away)) from away


def forget(work: Work) -> None:
    """Forget everything; the events stay."""
    with work.transaction() as uow:
        ending.forget(uow, _environments(uow, work), _app(uow, work))


def _environments(uow: UnitOfWork, work: Work) -> list[Environment]:
    facts = work.operation.facts
    if facts.get("kind") == "app":
        app = _app(uow, work)
        return catalog.environments_of(uow, app) if app else []
    try:
        return [catalog.environment_with(uow, work.operation.subject)]
    except NotFound:
        return []


def _app(uow: UnitOfWork, work: Work) -> catalog.App | None:
    if work.operation.facts.get("kind") != "app":
        return None
    try:
        return catalog.get_app(uow, work.operation.subject)
    except NotFound:
        return None


DESTROY = operations.Workflow(
    steps=(
        Step("end", end_instances),
        Step("gone", wait_gone, within=None),
        Step("builds", drop_builds, within=None),
        Step("forget", forget),
    ),
)
