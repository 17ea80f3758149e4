"""The edge: HAProxy in front of every app, the only door visitors have.

``Edge`` is told the whole truth every time (``apply``) and changes only what differs, without a
reload. HAProxy outlives the agent; when it is killed it is back with every route within a second.
"""

from .model import AccessLine, Backend, Page, Target, TargetState
from .outline import EDGE_ID
from .process import EdgeFailed, PortTaken
from .service import Edge

__all__ = [
    "EDGE_ID",
    "AccessLine",
    "Backend",
    "Edge",
    "EdgeFailed",
    "Page",
    "PortTaken",
    "Target",
    "TargetState",
]
