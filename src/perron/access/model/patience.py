"""How long somebody waits who signs in wrongly again and again. Nobody's account is ever locked.

Tries are counted by address and handle together, and by address. A browser that has signed in
before brings proof of it and is counted by itself: whoever guesses from the same address keeps it
from nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from perron.kit.problems import Problem

FORGOTTEN = timedelta(hours=1)
FREE = {"device": 10, "handle": 5, "address": 30}
MOST = {"device": 300, "handle": 300, "address": 30}  # seconds


class TooManyTries(Problem):
    """Too many tries from there: wait, then try again."""

    status = 429


@dataclass(frozen=True)
class Tries:
    """What went wrong under one bucket, such as ``handle:198.51.100.7:ada``."""

    bucket: str
    failures: int
    last: datetime

    @property
    def kind(self) -> str:
        """Say what is counted: device, handle or address."""
        return self.bucket.partition(":")[0]


def buckets_of(address: str, handle: str, device: str | None) -> list[str]:
    """Return where a try counts: under the browser that is known, or where it comes from."""
    if device is not None:
        return [f"device:{device}"]
    return [f"handle:{address}:{handle}", f"address:{address}"]


def wait_of(tries: Tries, at: datetime) -> float:
    """Return how many seconds nobody may try under this bucket."""
    beyond = tries.failures - FREE[tries.kind]
    if beyond < 0 or at - tries.last > FORGOTTEN:
        return 0.0
    delay = min(float(2 ** min(beyond, 10)), float(MOST[tries.kind]))
    return max(0.0, delay - (at - tries.last).total_seconds())


def counted(tries: Tries | None, bucket: str, at: datetime) -> Tries:
    """Return the tries with one more."""
    if tries is None or at - tries.last > FORGOTTEN:
        return Tries(bucket, 1, at)
    return Tries(bucket, tries.failures + 1, at)
