"""Following a change of scale, a stop or a start, until what was wished for is seen."""

from perron import operations, runtime
from perron.kit.problems import Temporary
from perron.operations import Step, Work
from perron.releases.model.progress import standing

from .deploying import LONG
from .seeing import Sight, expect_healthy, look, place


def wait_settled(work: Work) -> None:
    """Wait until exactly what is wished for runs; a start that goes wrong ends the waiting."""
    with work.reading() as uow:
        environment = place(uow, work)
        sight = look(uow, environment)
    expect_healthy(work, sight, sight.wish.wish.sets)
    if not runtime.is_as_wished(sight.report, sight.wish):
        raise Temporary(_leaving(sight))
    now = standing(sight.report, sight.wish.wish.sets)
    work.say(f"{now.text}.", wished=now.wished, healthy=now.well)


def _leaving(sight: Sight) -> str:
    count = len(runtime.surplus(sight.report, sight.wish.wish))
    return f"{count} instances finish what is in flight."


SETTLE = operations.Workflow(steps=(Step("settle", wait_settled, within=LONG),))
STOP = operations.Workflow(steps=(Step("stop", wait_settled, within=LONG),))
START = operations.Workflow(steps=(Step("start", wait_settled, within=LONG),))
