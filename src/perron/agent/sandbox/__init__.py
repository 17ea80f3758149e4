"""Sandboxes: where all code of tenants runs, and the one way to start, find and end it."""

from .entering import Session, enter
from .promises import find_bwrap, promises, tier, what_is_missing
from .running import Running
from .sandboxes import Sandboxes, clean
from .spec import MIB, Ending, Mount, SandboxSpec, Usage

__all__ = [
    "MIB",
    "Ending",
    "Mount",
    "Running",
    "SandboxSpec",
    "Sandboxes",
    "Session",
    "Usage",
    "clean",
    "enter",
    "find_bwrap",
    "promises",
    "tier",
    "what_is_missing",
]
