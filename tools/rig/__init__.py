"""What tests, demos and benchmarks stand on: a real platform of their own, and real visitors."""

from .load import Load, Tally
from .platform import Platform, free_port

__all__ = ["Load", "Platform", "Tally", "free_port"]
