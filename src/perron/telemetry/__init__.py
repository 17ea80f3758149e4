"""Telemetry: what an environment's instances, builds and visitors leave in its logs."""

from .model import LogQuery, LogsAway, LogsRead, SinceRefused
from .registry import use
from .service import last_lines, page

__all__ = ["LogQuery", "LogsAway", "LogsRead", "SinceRefused", "last_lines", "page", "use"]
