"""Counts access lines by the thousand, without reading them one by one.

A visitor can put no space and no line's end into a field, so what stands between two spaces at
the head of a line is the edge's own word, and counting bytes counts requests.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from . import lines
from .model import AccessLine

LATE = 16  # numbers that may come in another order: more than HAProxy has threads
RECENT = 4 * LATE
KNOWN = 16  # servers of an environment that are counted without reading
_SPAN = 5  # seconds
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Second:
    """What one environment's visitors saw in one second."""

    requests: int = 0
    gaps: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    served: datetime | None = None


@dataclass
class Tally:
    """What a group of lines says: sums by second, and when releases first answered well."""

    seconds: dict[int, Second] = field(default_factory=lambda: defaultdict(Second))
    releases: dict[int, datetime] = field(default_factory=dict)

    def lose(self, line: AccessLine) -> None:
        """Count what a visitor did not get, if this was such a request."""
        if reason := line.lost:
            lost = self.seconds[int(line.time.timestamp())].lost
            lost[reason] = lost.get(reason, 0) + 1

    def serve(self, line: AccessLine) -> None:
        """Keep when an instance first answered well."""
        second = self.seconds[int(line.time.timestamp())]
        second.served = min(second.served or _NEVER, line.time)
        if line.release is not None:
            self.releases[line.release] = min(self.releases.get(line.release, _NEVER), line.time)


@dataclass
class Heard:
    """How many of an environment's requests one worker told us of.

    HAProxy counts each request when it begins and when it ends; each line bears both counts.
    """

    taken: int = 0
    started: int = 0
    top: int = 0
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    quiet_at: int = -1

    @property
    def untold(self) -> int:
        """How many began and were never told: in flight, or gone with the worker."""
        return max(0, self.started - self.taken)

    def take(self, count: int, newest: Iterable[tuple[int, int]]) -> int:
        """Note lines, with the counts of the newest of them; return how many are missing.

        What is young may still come: two threads number and write at the same time.
        """
        self.taken += count
        for started, ended in newest:
            self.started = max(self.started, started)
            self.top = max(self.top, ended)
            self.recent.append(ended)
        young = set(range(max(1, self.top - LATE + 1), self.top + 1)) - set(self.recent)
        return self._missing(self.top - len(young))

    def settle(self) -> int:
        """Return how many are missing when nothing came for a while: then nothing is late."""
        was, self.quiet_at = self.quiet_at, self.top
        return self._missing(self.top) if was == self.top else 0

    def _missing(self, ended: int) -> int:
        missing = max(0, ended - self.taken)
        self.taken += missing
        return missing


@dataclass(frozen=True)
class Group:
    """Lines of one place, as they came: every one has its end, and nothing is copied."""

    where: bytes
    text: bytes
    count: int

    @property
    def environment(self) -> str:
        """Whose visitors asked."""
        return self.where.partition(b"|")[0].decode()

    def newest(self) -> list[tuple[int, int]]:
        """Return both counts of the last lines."""
        last = self.text.rsplit(b"\n", RECENT + 1)[-RECENT - 1 : -1]
        read = (each.split(b" ", _ENDED + 1)[_STARTED : _ENDED + 1] for each in last)
        return [(int(each[0]), int(each[1])) for each in read if b"-" not in each]

    def edges(self) -> tuple[datetime, datetime]:
        """Return when the first and the last of these requests ended."""
        last = self.text.rfind(b"\n", 0, -1) + 1
        return _moment(self.text), _moment(self.text[last:])

    def within(self, second: int) -> int:
        """Return how many of them ended in a second."""
        return _beginning(lines.MARK.encode() + self.where + b" %d" % second, self.text)


_STARTED, _ENDED = 9, 10  # fields of a line


def groups(data: bytes) -> Iterator[Group]:
    """Part whole lines by host; what says nothing of an environment is left out."""
    mark = lines.MARK.encode()
    where = data[1 : data.find(b" ")]
    parts: dict[bytes, list[bytes]] = {}
    count = data.count(b"\n")
    if data.startswith(mark) and _beginning(mark + where + b" ", data) == count:
        parts = {mark + where: [data]}
    else:
        count = 0
        for line in data[:-1].split(b"\n"):
            parts.setdefault(line[: line.find(b" ")], []).append(line + b"\n")
    for head, some in parts.items():
        if head.count(b"|") >= 2 and head.startswith(mark):
            yield Group(head[1:], b"".join(some), count or len(some))


def _beginning(words: bytes, text: bytes) -> int:
    """Return how many lines begin with these words."""
    return text.startswith(words) + text.count(b"\n" + words)


def tally(group: Group, known: dict[bytes, None]) -> Tally:
    """Count a group of lines. ``known``: servers that answered well before; it learns new ones."""
    found = Tally()
    ordinary = sum(group.text.count(b" -- " + server + b" ") for server in known)
    if ordinary != group.count:
        _read_strange(group, known, found)
    _count_seconds(group, found)
    return found


def _read_strange(group: Group, known: dict[bytes, None], found: Tally) -> None:
    """Read the lines of which something is to be said, and of servers not seen before."""
    needles = [b" -- " + server + b" " for server in known]
    for raw in group.text[:-1].split(b"\n"):
        if any(needle in raw for needle in needles):
            continue
        line = lines.parse(raw.decode(errors="replace"))
        if line is None:
            continue
        found.lose(line)
        if line.is_well_served:
            found.serve(line)
            known[line.server.encode()] = None
            needles.append(b" -- " + line.server.encode() + b" ")
    for server in list(islice(known, max(0, len(known) - KNOWN))):
        del known[server]


def _count_seconds(group: Group, found: Tally) -> None:
    first, last = (int(each.timestamp()) for each in group.edges())
    counts: dict[int, int] = {}
    if 0 <= last - first <= _SPAN:
        counts = {second: group.within(second) for second in range(first, last + 1)}
    if sum(counts.values()) != group.count:  # long ago, or the clock was set
        each = group.text[:-1].split(b"\n")
        counts = Counter(int(line.split(b" ", 2)[1]) // 1000 for line in each)
    for second, count in counts.items():
        if count:
            found.seconds[second].requests += count
            _find_served(group, second, found)


def _find_served(group: Group, second: int, found: Tally) -> None:
    """Find the first request of a second that an instance answered well."""
    head = lines.MARK.encode() + group.where + b" %d" % second
    for at in _places(head, group.text):
        end = group.text.find(b"\n", at)
        line = lines.parse(group.text[at:end].decode(errors="replace"))
        if line and line.is_well_served:
            found.serve(line)
            return


def _places(words: bytes, text: bytes) -> Iterator[int]:
    """Yield where lines begin with these words."""
    if text.startswith(words):
        yield 0
    at = text.find(b"\n" + words)
    while at >= 0:
        yield at + 1
        at = text.find(b"\n" + words, at + 1)


def _moment(line: bytes) -> datetime:
    return datetime.fromtimestamp(int(line[: line.find(b"\n")].split(b" ", 2)[1]) / 1000, UTC)
