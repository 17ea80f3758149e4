"""What views decide from plain values: one word for a place, the order of apps, and sentences."""

from .glance import Glance, needs_of, state_of
from .order import Standing, Totals, behind, by_use, in_order, totals
from .telling import TOLD, tell

__all__ = [
    "TOLD",
    "Glance",
    "Standing",
    "Totals",
    "behind",
    "by_use",
    "in_order",
    "needs_of",
    "state_of",
    "tell",
    "totals",
]
