"""The socket by which this room learns that the edge does what was asked of it."""

from typing import Protocol

from perron.kit.db import Database


class Seen(Protocol):
    """Waits a moment for the edge to do what is written down of an environment."""

    def __call__(self, database: Database, environment: str) -> bool:
        """Say whether it does by now; false is not yet, or not known."""
        ...
