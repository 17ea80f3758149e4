"""What the dashboard is given from outside: the API, the time, and word of changes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class Ear(Protocol):
    """Hears that something changed on the platform."""

    async def wait(self, timeout: float) -> bool:
        """Wait for a change; false when ``timeout`` seconds passed without one."""


@dataclass(frozen=True)
class Surroundings:
    """What the roof gives the dashboard: where the API is, the time, and when to look again."""

    api: Path
    now: Callable[[], datetime]
    listen: Callable[[], AbstractContextManager[Ear]]
