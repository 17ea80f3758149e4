"""What views decide from plain values: one word for a place, a sentence for what happened."""

from .glance import Glance, needs_of, state_of
from .telling import TOLD, tell

__all__ = ["TOLD", "Glance", "needs_of", "state_of", "tell"]
