"""Where access keeps its rows: tables and queries, private to the room."""

from . import people, sessions, teams, tokens, tries
from .rows import keep

__all__ = ["keep", "people", "sessions", "teams", "tokens", "tries"]
