"""The chain over what happened, the signed heads of it, and what is wrong when they disagree.

Each event has a link: its own digest, and a chain value made of it, its position and the chain
value before. A head is a place in that chain, signed and kept outside the database.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, ClassVar

from perron.kit.problems import Conflict, Unprocessable
from perron.kit.spine import Event

GENESIS = "0" * 64
WHOLE, BROKEN, UNKNOWN = "whole", "broken", "unknown"


@dataclass(frozen=True)
class Link:
    """One event's place in the chain."""

    position: int
    digest: str
    chain: str


@dataclass(frozen=True)
class Head:
    """A place in the chain, signed. ``previous`` is the digest of the head published before.

    A ``restart`` says that the chain goes on from here although it had come further
    (``cut_position``, ``cut_chain``): a backup was restored, or somebody accepted a loss.
    """

    kind: str
    position: int
    chain: str
    at: str
    previous: str
    key: str
    why: str = ""
    by: str = ""
    cut_position: int | None = None
    cut_chain: str | None = None
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """Return what the signature is made over."""
        told = asdict(replace(self, signature=""))
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """Return what the next head calls this one."""
        return sha256(self.signed + self.signature.encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the first position it is known of."""

    kind: str
    position: int | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """What verifying found: whole, broken or unknown; ``waiting`` events have no link yet."""

    answer: str
    text: str
    checked: int = 0
    waiting: int = 0
    faults: tuple[Fault, ...] = ()
    head: Head | None = None


@dataclass(frozen=True)
class ChainRestarted:
    """The chain goes on from an earlier place; what came after it before is not in this state."""

    type: ClassVar[str] = "perron.audit.restarted.v1"
    head: str
    position: int
    cut_position: int | None
    why: str


@dataclass(frozen=True)
class AuditRead:
    """Someone looked at what people did; told once an hour."""

    type: ClassVar[str] = "perron.audit.read.v1"
    teams: list[str] | None


@dataclass(frozen=True)
class AuditVerified:
    """Someone had the chain verified."""

    type: ClassVar[str] = "perron.audit.verified.v1"
    answer: str
    position: int | None


class NotBroken(Conflict):
    """The chain continues where its head is: there is nothing to restart."""


class HeadRefused(Unprocessable):
    """What was given is no head of this platform's chain."""


def canonical(event: Event) -> bytes:
    """Return an event as it is digested: everything but its position."""
    told = asdict(event) | {"time": event.time.isoformat(), "recorded": event.recorded.isoformat()}
    del told["position"]
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def digest_of(event: Event) -> str:
    """Return the digest of an event."""
    return sha256(canonical(event)).hexdigest()


def chained(before: str, position: int, digest: str) -> str:
    """Return the chain value of a position, from the one before it."""
    return sha256(f"{before}\n{position}\n{digest}".encode()).hexdigest()


def links_after(last: Link | None, events: Iterable[Event]) -> Iterator[Link]:
    """Continue the chain over events in order."""
    chain = last.chain if last else GENESIS
    for event in events:
        digest = digest_of(event)
        chain = chained(chain, event.position, digest)
        yield Link(event.position, digest, chain)


def break_at(head: Head, last: Link | None, there: Link | None) -> Fault | None:
    """Say why the chain does not go on from its newest head: where it ends, and what is there."""
    end = last.position if last else 0
    if end < head.position:
        return _cut(end, head)
    if head.position and (there is None or there.chain != head.chain):
        text = f"Up to event {head.position} something was changed: it does not fit the head."
        return Fault("rewritten", head.position, text)
    return None


def fault_in_heads(heads: Sequence[Head], good: Sequence[bool]) -> Fault | None:
    """Say what is wrong with published heads; ``good`` says which signatures are ours."""
    before = ""
    for number, (head, is_ours) in enumerate(zip(heads, good, strict=True), start=1):
        if not is_ours:
            return Fault("head", head.position, f"Head {number} was not signed by this platform.")
        if head.previous != before:
            return Fault("head", head.position, f"Before head {number}, one was taken out.")
        before = head.digest
    return None


def binding(heads: Sequence[Head]) -> dict[int, str]:
    """Return which chain values are promised: of those before a restart, what it did not cut."""
    promised: dict[int, str] = {}
    for head in heads:
        if head.kind == "restart":
            promised = {at: chain for at, chain in promised.items() if at <= head.position}
        promised[head.position] = head.chain
    promised.pop(0, None)
    return promised


@dataclass
class Walk:
    """Goes along events and links together; what is wrong at one position hides no later one."""

    promised: dict[int, str]
    last: int
    chain: str = GENESIS
    agreed: int = 0
    checked: int = 0
    waiting: int = 0

    def step(self, position: int, event: Event | None, link: Link | None) -> Fault | None:
        """Look at one position; the positions come in order."""
        if link is None:
            return self._unlinked(position)
        if event is None:
            self.chain = link.chain
            return Fault("missing", position, f"Event {position} was taken out.")
        return self._linked(position, event, link)

    def _unlinked(self, position: int) -> Fault | None:
        if position > self.last:
            self.waiting += 1
            return None
        return Fault("added", position, f"Event {position} was slipped in.")

    def _linked(self, position: int, event: Event, link: Link) -> Fault | None:
        before, self.chain = self.chain, link.chain
        self.checked += 1
        if digest_of(event) != link.digest:
            return Fault("edited", position, f"Event {position} was changed.")
        if chained(before, position, link.digest) != link.chain:
            return Fault("chain", position, f"Just before event {position}, events are missing.")
        if self.promised.get(position, link.chain) != link.chain:
            return self._rewritten(position)
        self.agreed = position if position in self.promised else self.agreed
        return None

    def _rewritten(self, position: int) -> Fault:
        text = (
            f"Between events {self.agreed + 1} and {position} something was changed, and the chain "
            "was made anew over it: it does not fit the signed head."
        )
        return Fault("rewritten", self.agreed + 1, text)


def cut_after(last: int, head: Head) -> Fault | None:
    """Say what is missing at the end, as a head tells it."""
    return _cut(last, head) if head.position > last else None


def abandoned(head: Head, heads: Sequence[Head]) -> Fault | None:
    """Say that what a head stood for was given up since, by whom and why."""
    for each in heads:
        if each.kind == "restart" and each.at >= head.at and each.position < head.position:
            text = f"Events {each.position + 1} to {head.position} were given up: {each.why}"
            return Fault("restarted", each.position + 1, text)
    return None


def moved(position: int, from_: int) -> Fault:
    """Say that an event stands where another one was written down."""
    text = f"Event {position} was exchanged: what stands there was written down as event {from_}."
    return Fault("moved", position, text)


def origin_changed(position: int) -> Fault:
    """Say that an event came from somewhere else than is told now."""
    return Fault("origin", position, f"Where event {position} came from was changed.")


def change_of(data: dict[str, Any]) -> tuple[Any, Any]:
    """Return what something was before and after, as far as its event tells."""
    if data.get("before") is None:
        return None, None
    after = [data[name] for name in ("after", "name", "role", "number") if name in data]
    return data["before"], after[0] if after else None


def _cut(last: int, head: Head) -> Fault:
    text = (
        f"Events {last + 1} to {head.position} are gone: the head signed at {head.at} had them. "
        "The end was cut off, or an older copy of the database was put in place."
    )
    return Fault("cut", last + 1, text)
