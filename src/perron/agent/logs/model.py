"""Lines and what is known of them: cutting, masking and rationing, without input or output."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

LINE_CAP = 64 * 1024
SHORTEST_SECRET = 4
MASK = "••••"
CUT = f" [cut: this line is longer than {LINE_CAP // 1024} KiB and goes on]"

BURST_LINES = 1_000_000
LINES_A_SECOND = 20_000
BURST_BYTES = 256 << 20
BYTES_A_SECOND = 4 << 20
LINES_AT_ONCE = 10_000


@dataclass(frozen=True)
class Labels:
    """Whose lines a file holds. ``mask``: known secrets, shown as dots; never written down."""

    environment: str
    source: str
    process: str = ""
    instance: str = ""
    release: int | None = None
    job: str = ""
    mask: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Lines that belong together. ``times`` is one moment for all of them, or one for each."""

    labels: Labels
    texts: Sequence[str]
    times: Sequence[datetime]
    late: bool = False
    gap: str = ""


@dataclass(frozen=True)
class Block:
    """Lines that somebody else wrote in a ``form`` of their own; who reads them decodes them.

    Every one of them lies between ``started`` and ``ended``.
    """

    environment: str
    source: str
    form: str
    body: bytes
    count: int
    started: datetime
    ended: datetime


class Told(NamedTuple):
    """One line of a block, decoded."""

    time: datetime
    text: str
    process: str = ""
    instance: str = ""
    release: int | None = None


@dataclass(frozen=True)
class Query:
    """What somebody wants to read; ``newest`` says from which end to begin.

    ``before`` is the cursor of a line: only what came before it is wanted.
    """

    environment: str
    source: str | None = None
    process: str | None = None
    instance: str | None = None
    release: int | None = None
    job: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    after: int | None = None
    before: int | None = None
    limit: int = 1000

    def finds(self, told: Told) -> bool:
        """Say whether a decoded line is of the process, instance and release asked for."""
        return (
            self.process in (None, told.process)
            and self.instance in (None, told.instance)
            and self.release in (None, told.release)
        )

    @property
    def most(self) -> int:
        """How many lines are given at once: what was asked for, within reason."""
        return min(max(self.limit, 1), LINES_AT_ONCE)

    @property
    def newest(self) -> bool:
        """Whether the end of the log is wanted, and not what follows some point."""
        return self.after is None and self.since is None

    def wants(self, cursor: int, time: datetime, text: str) -> bool:
        """Say whether one line of a matching chunk is asked for."""
        if self.after is not None and cursor <= self.after:
            return False
        if self.before is not None and cursor >= self.before:
            return False
        if (self.since and time < self.since) or (self.until and time > self.until):
            return False
        return self.text is None or self.text.casefold() in text.casefold()


@dataclass
class Allowance:
    """How much one environment may still write down: a bucket that refills with time."""

    lines: float = BURST_LINES
    bytes: float = BURST_BYTES
    at: float = field(default=0.0)

    def take(self, lines: int, size: int, now: float) -> bool:
        """Use some of it; False when nothing is left and the lines must be dropped."""
        passed = max(0.0, now - self.at) if self.at else 0.0
        self.at = now
        self.lines = min(BURST_LINES, self.lines + passed * LINES_A_SECOND)
        self.bytes = min(BURST_BYTES, self.bytes + passed * BYTES_A_SECOND)
        if self.lines <= 0 or self.bytes <= 0:
            return False
        self.lines -= lines
        self.bytes -= size
        return True


def whole_lines(data: bytes, *, full: bool, final: bool) -> int:
    """Return how many bytes of ``data`` can be taken: up to the last line that has ended.

    ``full``: no more fits in our hands, so an endless line is taken as it is. ``final``:
    nothing follows, so a last line without its end counts.
    """
    end = data.rfind(b"\n") + 1
    if final or (full and not end):
        return len(data)
    return end


def texts_of(data: bytes, secrets: re.Pattern[str] | None) -> list[str]:
    """Return the lines of whole-line data: readable, masked, and none too long."""
    text = data.decode(errors="replace").removesuffix("\n").replace("\r\n", "\n")
    if secrets:
        text = secrets.sub(MASK, text)
    lines = text.split("\n")
    if len(text) > LINE_CAP and any(len(line) > LINE_CAP for line in lines):
        return [piece for line in lines for piece in _pieces(line)]
    return lines


def secrets_pattern(values: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds any of the secrets, as they are or as in a URL; None for no secrets.

    Secrets of several lines are found line by line; what is shorter than four characters would
    hide half the log and is not looked for.
    """
    parts = {part.strip() for value in values for part in value.splitlines()}
    parts |= {quote(part, safe="") for part in parts}
    known = sorted((each for each in parts if len(each) >= SHORTEST_SECRET), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known))) if known else None


def dropped_words(lines: int) -> str:
    """Say that lines are missing, and why."""
    return (
        f"{lines:,} lines dropped: more than {LINES_A_SECOND:,} lines "
        f"or {BYTES_A_SECOND >> 20} MiB a second for too long"
    )


def _pieces(line: str) -> list[str]:
    cuts = [line[at : at + LINE_CAP] for at in range(0, len(line), LINE_CAP)] or [""]
    return [piece + CUT for piece in cuts[:-1]] + cuts[-1:]
