"""Instances: everything wished for on this node, kept running, healthy and led to.

One task looks at all of it when something happened; one small task for each instance sleeps
until its process ends. Nothing here needs the server.
"""

from .controller import Instances, OlderWishes, StillWished
from .keeper import Keeper
from .sessions import run_inside
from .stopping import rest
from .tools import Tools

__all__ = ["Instances", "Keeper", "OlderWishes", "StillWished", "Tools", "rest", "run_inside"]
