"""Logs: files written by instances and jobs, ingested into chunks; reading and following."""

from .model import Labels
from .service import Logs

__all__ = ["Labels", "Logs"]
