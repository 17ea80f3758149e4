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
    """Lines of one place: ``text`` has a line's end before each of them, and none behind."""

    where: bytes
    text: bytes
    count: int

    @property
    def environment(self) -> str:
        """Whose visitors asked."""
        return self.where.partition(b"|")[0].decode()

    def newest(self) -> list[tuple[int, int]]:
        """Return both counts of the last lines."""
        last = self.text.rsplit(b"\n", RECENT)[1:]
        read = (lines.parse(each.decode(errors="replace")) for each in last)
        return [(each.started, each.ended) for each in read if each and each.started and each.ended]

    def edges(self) -> tuple[datetime, datetime]:
        """Return when the first and the last of these requests ended."""
        last = self.text[self.text.rfind(b"\n") :]
        return _moment(self.text), _moment(last)


def groups(data: bytes) -> Iterator[Group]:
    """Part whole lines by host; what says nothing of an environment is left out."""
    text = b"\n" + data.removesuffix(b"\n")
    count = text.count(b"\n")
    mark = lines.MARK.encode()
    where = text[2 : text.find(b" ")]
    if text.startswith(b"\n" + mark) and text.count(b"\n" + mark + where + b" ") == count:
        parts = {mark + where: [text[1:]]}
    else:
        parts, count = defaultdict(list), 0
        for line in text[1:].split(b"\n"):
            parts[line[: line.find(b" ")]].append(line)
    for head, some in parts.items():
        if head.count(b"|") >= 2 and head.startswith(mark):
            yield Group(head[1:], b"\n" + b"\n".join(some), count or len(some))


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
    for raw in group.text[1:].split(b"\n"):
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
        head = b"\n" + lines.MARK.encode() + group.where + b" %d"
        counts = {second: group.text.count(head % second) for second in range(first, last + 1)}
    if sum(counts.values()) != group.count:  # long ago, or the clock was set
        counts = Counter(int(each.split(b" ", 2)[1]) // 1000 for each in _each(group.text))
    for second, count in counts.items():
        if count:
            found.seconds[second].requests += count
            _find_served(group, second, found)


def _find_served(group: Group, second: int, found: Tally) -> None:
    """Find the first request of a second that an instance answered well."""
    head = b"\n" + lines.MARK.encode() + group.where + b" %d" % second
    at = group.text.find(head)
    while at >= 0:
        end = group.text.find(b"\n", at + 1)
        raw = group.text[at + 1 : end if end >= 0 else None]
        line = lines.parse(raw.decode(errors="replace"))
        if line and line.is_well_served:
            found.serve(line)
            return
        at = group.text.find(head, at + 1)


def _each(text: bytes) -> list[bytes]:
    return text[1:].split(b"\n")


def _moment(line: bytes) -> datetime:
    return datetime.fromtimestamp(int(line.split(b" ", 2)[1]) / 1000, UTC)
