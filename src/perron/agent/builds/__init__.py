"""Builds: results and layers on this node, found whole or not at all; the runtimes it offers."""

from .interpreters import interpreters
from .model import Build, BuildNotFound, layer_target, tools
from .service import Builds
from .trees import copy, hand_over, remove, used
from .unpacking import unpack

__all__ = [
    "Build",
    "BuildNotFound",
    "Builds",
    "copy",
    "hand_over",
    "interpreters",
    "layer_target",
    "remove",
    "tools",
    "unpack",
    "used",
]
