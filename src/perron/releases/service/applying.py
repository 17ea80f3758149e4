"""Whether the edge does by now what is written down of an environment."""

import time

from perron import catalog, runtime
from perron.kit import bell
from perron.kit.db import Database, UnitOfWork, reading
from perron.kit.problems import NotFound

from .wishes import assemble

PATIENCE = 2.0


def is_seen_at_edge(database: Database, environment: str) -> bool:
    """Wait a moment until the machine says that visitors are led as is written down.

    What was written down becomes a wish, the machine hears it, programs its edge and reports.
    """
    end = time.monotonic() + PATIENCE
    while True:
        heard = bell.heard()
        with reading(database) as uow:
            if _is_so(uow, environment):
                return True
        if (left := end - time.monotonic()) <= 0:
            return False
        bell.wait(heard, left)


def _is_so(uow: UnitOfWork, id: str) -> bool:
    wish, report = runtime.find_wish(uow, id), runtime.observed(uow, id)
    if wish is None or report is None or report.generation < wish.generation:
        return False
    try:
        environment = catalog.environment_with(uow, id)
    except NotFound:
        return False
    return report.let_in and wish.wish == assemble(uow, environment)
