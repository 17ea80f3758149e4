"""Where a platform is just now, read from its own files: also when nobody of it answers."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from .platform import Platform

MOMENTS = (
    "upload", "build", "release", "start", "routes", "drain", "scale", "destroy",
)  # fmt: skip

BEFORE = {"start": "release", "routes": "start", "drain": "live"}  # when this is done, it begins


def rows(
    here: Platform, database: str, query: str, *values: object, tries: int = 20
) -> list[tuple]:
    """Ask one of the platform's databases; what cannot be read just now is read again."""
    path = here.home / f"{database}.db"
    for left in reversed(range(tries)):
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as asked:
                return asked.execute(query, values).fetchall()
        except sqlite3.Error:
            if not left:
                raise
            time.sleep(0.05)
    return []


def is_at(here: Platform, moment: str) -> bool:
    """Is work just now in the middle of the moment?"""
    if moment == "upload":
        return any(here.home.glob("sources/.upload-*"))
    if moment in ("build", "release"):
        query = "SELECT 1 FROM job WHERE state = 'running' AND name LIKE ?"
        return bool(rows(here, "node", query, f"{moment}-%"))
    if moment in ("scale", "destroy"):
        query = "SELECT 1 FROM operation WHERE state = 'running' AND work = ?"
        return bool(rows(here, "perron", query, f"releases.{moment}"))
    query = (
        "SELECT 1 FROM operation o JOIN step s ON s.operation = o.id "
        "WHERE o.state = 'running' AND s.name = ? AND s.state = 'done'"
    )
    return bool(rows(here, "perron", query, BEFORE[moment]))


def catch(here: Platform, moment: str, is_over: Callable[[], object], within: float = 60) -> bool:
    """Wait for the moment; false when the work was over before it was seen."""
    end = time.monotonic() + within
    while not is_at(here, moment):
        if is_over():
            return False
        if time.monotonic() > end:
            raise AssertionError(f"{moment} was never reached{here.tail()}")
        time.sleep(0.001)
    return True
