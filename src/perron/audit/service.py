"""What can be done with the chain: continue it, sign its head, verify it, list what happened."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from perron.audit import store
from perron.kit import clock, origins, spine
from perron.kit.db import UnitOfWork
from perron.kit.settings import Home
from perron.kit.spine import Event, Place

from .model import (
    BROKEN,
    GENESIS,
    UNKNOWN,
    WHOLE,
    ChainRestarted,
    Fault,
    Head,
    HeadRefused,
    Link,
    NotBroken,
    Verdict,
    Walk,
    abandoned,
    binding,
    break_at,
    cut_after,
    fault_in_heads,
    links_after,
    moved,
    origin_changed,
)
from .store import Wanted, heads
from .store.heads import Key, Published

SUBJECT = "audit"
FAULTS_TOLD = 20


def chain_on(uow: UnitOfWork) -> Link | None:
    """Give links to events that have none yet, some at a time; return where the chain ends."""
    last = store.last_link(uow)
    fresh = list(links_after(last, store.unlinked(uow, last.position if last else 0)))
    store.add(uow, fresh)
    return fresh[-1] if fresh else last


def is_behind(uow: UnitOfWork) -> bool:
    """Say whether events wait for their link."""
    last = store.last_link(uow)
    return bool(store.count_after(uow, last.position if last else 0))


def rebuild(uow: UnitOfWork) -> Link | None:
    """Make every link anew from the first event; the same links, bit for bit."""
    store.empty(uow)
    last = None
    while is_behind(uow):
        last = chain_on(uow)
    return last


def list_events(uow: UnitOfWork, wanted: Wanted, *, limit: int) -> list[Event]:
    """Return what happened, newest first."""
    return store.page(uow, wanted, limit)


def app_names(uow: UnitOfWork) -> dict[str, str]:
    """Return what every app was last called, by id, those included that are gone."""
    return store.app_names(uow)


def newest_head(home: Home) -> Head | None:
    """Return the newest head that was signed."""
    published = heads.read(home)
    return published.heads[-1] if published.heads else None


def standing(uow: UnitOfWork, home: Home) -> Fault | None:
    """Say why no head can be signed now; None when the chain goes on from its head."""
    head = heads.newest(home)
    if head is None:
        return None
    if Key.find(home) is None:
        return Fault("key", None, f"The key that signs heads, {home.keys / heads.KEY}, is missing.")
    return break_at(head, store.last_link(uow), store.link_at(uow, head.position))


def sign(uow: UnitOfWork, home: Home, *, for_good: bool) -> Head | None:
    """Sign where the chain ends, unless that is not a continuation of the head before."""
    last, before = store.last_link(uow), heads.newest(home)
    if last is None or standing(uow, home):
        return None
    if before and before.position == last.position and not for_good:
        return before
    key = Key.find(home) or Key.make(home)
    return heads.publish(home, key, _head("head", last), for_good=for_good)


def restart(uow: UnitOfWork, home: Home, *, why: str) -> Head:
    """Let the chain go on from where it is, although its head says otherwise; somebody answers."""
    fault = standing(uow, home)
    if fault is None:
        raise NotBroken("The chain goes on from its head: there is nothing to accept.")
    head = _restart(home, store.last_link(uow), why=why, by=uow.actor or "perron")
    note_restart(uow, head)
    return head


def note_restored(home: Home, file: Path) -> None:
    """Publish that a backup is put in place of the state; the server is stopped meanwhile."""
    if heads.newest(home) is not None:
        _restart(home, _last_link_in(file), why=f"Restored from {file.name}.", by="perron")


def note_restart(uow: UnitOfWork, head: Head) -> None:
    """Write down that the chain was restarted, once for each time."""
    told = ChainRestarted(head.digest, head.position, head.cut_position, head.why)
    if not store.knows_restart(uow, head.digest):
        spine.record(uow, told, subject=SUBJECT, of=Place())


def last_restart(home: Home) -> Head | None:
    """Return the restart that was published last."""
    found = [head for head in heads.read(home).journal if head.kind == "restart"]
    return found[-1] if found else None


def verify(uow: UnitOfWork, home: Home, *, kept: Head | None = None) -> Verdict:
    """Look at every event, link and head; ``kept`` is a head that somebody kept elsewhere."""
    published, key = heads.read(home), Key.find(home)
    if key is None or not published.heads:
        return Verdict(UNKNOWN, _unknown(home, published))
    if kept and not key.is_ours(kept):
        raise HeadRefused("The head that was given was not signed by this platform.")
    last = store.last_link(uow)
    walk = Walk(_promised(published, key, kept), last.position if last else 0)
    faults = [*_in_heads(published, key), *_along(uow, walk), *_at_end(walk, published, kept)]
    faults += _in_origins(uow)
    told = sorted(faults, key=lambda fault: fault.position or 0)[:FAULTS_TOLD]
    return _verdict(walk, tuple(told), published.heads[-1])


def _head(kind: str, last: Link | None) -> Head:
    at = clock.now().isoformat()
    position, chain = (last.position, last.chain) if last else (0, GENESIS)
    return Head(kind, position, chain, at, previous="", key="")


def _restart(home: Home, last: Link | None, *, why: str, by: str) -> Head:
    before = heads.newest(home)
    head = replace(_head("restart", last), why=why, by=by)
    if before:
        head = replace(head, cut_position=before.position, cut_chain=before.chain)
    return heads.publish(home, Key.find(home) or Key.make(home), head, for_good=True)


def _last_link_in(file: Path) -> Link | None:
    """Return where the chain of a database ends that nobody has opened."""
    query = "SELECT position, digest, chain FROM audit_link ORDER BY position DESC LIMIT 1"
    address = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=5)) as connection:
        try:
            row = connection.execute(query).fetchone()
        except sqlite3.OperationalError:  # made before there was a chain
            return None
    return Link(*row) if row else None


def _promised(published: Published, key: Key, kept: Head | None) -> dict[int, str]:
    """Return what heads of ours promise: a forged one shall not accuse a sound event."""
    promised = binding([head for head in published.heads if key.is_ours(head)])
    if kept and kept.position and not abandoned(kept, published.heads):
        promised.setdefault(kept.position, kept.chain)
    return promised


def _in_heads(published: Published, key: Key) -> Iterator[Fault]:
    if published.is_cut:
        yield Fault("head", None, "The newest head was taken away; older ones are there.")
    found = published.heads
    if fault := fault_in_heads(found, [key.is_ours(head) for head in found]):
        yield fault


def _along(uow: UnitOfWork, walk: Walk) -> Iterator[Fault]:
    for position, event, link in store.both(uow):
        fault = walk.step(position, event, link)
        if fault and fault.kind == "edited" and event:
            there = store.link_for(uow, event)
            yield moved(position, there.position) if there else fault
        elif fault:
            yield fault


def _at_end(walk: Walk, published: Published, kept: Head | None) -> Iterator[Fault]:
    for head in (kept, published.heads[-1]):
        if head is None:
            continue
        fault = abandoned(head, published.heads) if head is kept else None
        if fault := fault or cut_after(walk.last, head):
            yield fault
            return


def _in_origins(uow: UnitOfWork) -> Iterator[Fault]:
    if changed := origins.changed(uow):
        position = store.first_from(uow, changed)
        if position:
            yield origin_changed(position)


def _verdict(walk: Walk, faults: tuple[Fault, ...], head: Head) -> Verdict:
    if faults:
        text, answer = faults[0].text, BROKEN
    else:
        text = f"All {walk.checked:,} events are as they were written, up to the signed head."
        answer = WHOLE
    return Verdict(answer, text, walk.checked, walk.waiting, faults, head)


def _unknown(home: Home, published: Published) -> str:
    if not published.heads:
        return f"There is no signed head in {heads.folder(home)}: nothing says how it should be."
    return f"The key that signs heads, {home.keys / heads.KEY}, is missing: restore it first."
