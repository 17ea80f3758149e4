"""Quotas: what a team may have of apps, instances, memory, builds and disk.

Rooms above ask before they start something, and tell what they hold; what they can count
themselves they offer as meters, registered at the roof. Nothing a team has is ever taken away.
"""

from .model import QuotaExceeded
from .registry import Meter, use
from .service import (
    begin_build,
    check,
    check_building,
    check_hold,
    end_build,
    hold,
    let_go,
    move,
)

__all__ = [
    "Meter",
    "QuotaExceeded",
    "begin_build",
    "check",
    "check_building",
    "check_hold",
    "end_build",
    "hold",
    "let_go",
    "move",
    "use",
]
