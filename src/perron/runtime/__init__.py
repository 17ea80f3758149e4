"""Runtime: what should run, and the engines that make it so.

A wish is a row with a generation; the controller hands all of them to the engine as one
document, and what the engine reports is compared with them. Jobs run once, by name.
"""

from .engines.node import client_of
from .model import (
    ENDING,
    Wish,
    WishRefused,
    healthy,
    in_rotation,
    is_as_wished,
    is_heard,
    of_set,
    surplus,
)
from .registry import EngineNotFound, engine_named, engine_of, use
from .service import (
    FINISHED,
    acceptances,
    ask_job,
    cancel_job,
    check_several_teams,
    end,
    engine,
    find_wish,
    forget,
    has_ended,
    is_ending,
    is_true,
    node_of,
    observed,
    observed_all,
    sight_of,
    traffic_of,
    want,
)

__all__ = [
    "ENDING",
    "FINISHED",
    "EngineNotFound",
    "Wish",
    "WishRefused",
    "acceptances",
    "ask_job",
    "cancel_job",
    "check_several_teams",
    "client_of",
    "end",
    "engine",
    "engine_named",
    "engine_of",
    "find_wish",
    "forget",
    "has_ended",
    "healthy",
    "in_rotation",
    "is_as_wished",
    "is_ending",
    "is_heard",
    "is_true",
    "node_of",
    "observed",
    "observed_all",
    "of_set",
    "sight_of",
    "surplus",
    "traffic_of",
    "use",
    "want",
]
