"""Logs: files written by instances and jobs, ingested into chunks; reading and following."""

from .model import Batch, Block, Labels, Query, Told
from .service import Logs
from .store import Store

__all__ = ["Batch", "Block", "Labels", "Logs", "Query", "Store", "Told"]
