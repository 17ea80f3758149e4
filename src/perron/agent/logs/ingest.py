"""The thread that carries lines from files into the store."""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from perron.kit import clock

from .model import Allowance, Batch, Labels, dropped_words, texts_of
from .store import Store
from .tails import Piece, Tail
from .waking import Waking

BEAT = 1.0
AWAY = 2.0
PAUSE = 0.04  # between rounds: lines that come one by one share a chunk
ROUND = 0.05
PRUNE_EVERY = 600.0
SEAL_AFTER = 60.0  # without large blocks: then there is time to compress them
SEAL_ABOVE = 256 << 20  # or else when so much lies there as it came
KEEP_FOR = timedelta(days=14)
KEEP_BYTES = 256 << 20
log = logging.getLogger(__name__)


class Ingest(threading.Thread):
    """Reads watched files as they grow; a file's lines and its place are kept together.

    ``alive`` is touched every second: from it the next agent knows how long nobody looked.
    """

    def __init__(
        self,
        store: Store,
        alive: Path,
        *,
        punches: bool,
        told: Callable[[set[str]], None],
        closed: Container[int] = (),
        usual: Sequence[int] = (),
    ) -> None:
        super().__init__(name="logs", daemon=True)
        self._store = store
        self._alive = alive
        self._punches = punches
        self._closed = closed
        self._usual = usual
        self._told = told
        self._waking = Waking()
        self._lock = threading.RLock()  # one reader of files at a time
        self._tails: dict[Path, Tail] = {}
        self._grown: set[Path] = set()
        self._allowances: dict[str, Allowance] = {}
        self._ending = False
        self._is_stuck = False
        self._seen = _last_alive(alive)
        self._was_away = self._seen is not None and time.time() - self._seen > AWAY
        self._pruned = time.monotonic()
        self._raw = (0, 0.0)  # how much lay there as it came, and since when

    def watch(self, path: Path, labels: Labels) -> None:
        """Read a file from where we were; again is harmless."""
        with self._lock:
            known = self._tails.get(path)
            if known and known.labels == labels:
                return
            path.touch(mode=0o600, exist_ok=True)
            place = self._store.place(str(path))
            late = self._was_away and known is None and place is not None
            usual = () if labels.source == "build" else self._usual  # builds reach their index
            self._tails[path] = Tail(
                path, labels, place, late=late, closed=self._closed, usual=usual
            )
            if place is None:  # from now on it is known, so that the next agent sees a gap as one
                self._store.write([], [self._tails[path].place()])
            self._waking.add(path)
            self._grown.add(path)
        self._waking.wake()

    def finish(self, path: Path) -> None:
        """Read a file to its very end, and forget it."""
        with self._lock:
            tail = self._tails.get(path)
            while tail and self._take(tail, final=True):
                pass
            self._waking.remove(path)
            self._tails.pop(path, None)
            self._grown.discard(path)
            self._store.drop_place(str(path))

    def forget(self, environment: str) -> None:
        """Stop reading every file of an environment."""
        with self._lock:
            for path, tail in list(self._tails.items()):
                if tail.labels.environment == environment:
                    self._waking.remove(path)
                    del self._tails[path]
            self._allowances.pop(environment, None)

    def run(self) -> None:
        """Carry lines until told to end."""
        while not self._ending:
            try:
                self._beat()
                self._round()
                self._is_stuck = False
            except (OSError, sqlite3.Error) as why:  # a full disk, most of all
                if not self._is_stuck:
                    log.warning("Logs cannot be kept now and wait in their files: %s", why)
                self._is_stuck = True
                time.sleep(BEAT)
        with self._lock:
            self._waking.close()

    def end(self) -> None:
        """Stop the thread; what it has not read is read next time."""
        self._ending = True
        self._waking.wake()
        self.join(timeout=10)

    def _beat(self) -> None:
        """Sleep until something grew; notice when we were away ourselves, as in a suspend."""
        timeout = 0.0 if self._grown else BEAT
        grown = self._waking.wait(timeout)
        now = time.time()
        away = self._seen is not None and now - self._seen > BEAT + AWAY
        with self._lock:
            self._grown |= grown & self._tails.keys()
            if away:
                for tail in self._tails.values():
                    tail.mark_late()
        if self._seen is None or now - self._seen > BEAT / 2:
            self._seen = now
            _touch(self._alive)
            with self._lock:
                for tail in self._tails.values():
                    self._tell_dropped(tail)
            self._seal()
        if time.monotonic() - self._pruned > PRUNE_EVERY:
            self._pruned = time.monotonic()
            self._store.prune(clock.now() - KEEP_FOR, KEEP_BYTES)

    def _seal(self) -> None:
        """Compress blocks when they come no more, or are too many: one in each second."""
        size, now = self._store.raw_bytes(), time.monotonic()
        if size > self._raw[0] or not size:
            self._raw = (size, now)
        while size > SEAL_ABOVE or (size and now - self._raw[1] > SEAL_AFTER):
            self._store.seal()
            size = self._store.raw_bytes()
            self._raw = (size, self._raw[1])
            if size <= SEAL_ABOVE:
                break

    def _round(self) -> None:
        started = time.monotonic()
        busy = False
        with self._lock:
            for path in list(self._grown):
                self._grown.discard(path)
                tail = self._tails.get(path)
                if tail and self._take(tail):
                    busy = True
                    self._grown.add(path)  # there is more
                if time.monotonic() - started > ROUND:
                    break
        if not busy:
            time.sleep(PAUSE if not self._ending else 0)

    def _take(self, tail: Tail, *, final: bool = False) -> bool:
        """Carry one piece of a file over; say whether more waits."""
        piece = tail.read(final=final)
        if piece is None:
            if final:
                self._tell_dropped(tail)
            return False
        tail.move(len(piece.data))
        batches = self._batches(tail, piece)
        try:
            self._store.write(batches, [tail.place()])
        except BaseException:
            tail.move(-len(piece.data))
            self._grown.add(tail.path)
            raise
        if self._punches and tail.wants_punching():
            self._store.settle()  # on the disk first: then the file may give it up
            tail.punch()
        self._told({tail.labels.environment})
        return piece.more

    def _batches(self, tail: Tail, piece: Piece) -> list[Batch]:
        count = piece.data.count(b"\n") or 1
        allowance = self._allowances.setdefault(tail.labels.environment, Allowance())
        if not allowance.take(count, len(piece.data), time.monotonic()):
            tail.dropped += count
            return []
        batches = [_gap(tail)] if tail.dropped else []
        tail.dropped = 0
        texts = texts_of(piece.data, tail.secrets)
        lines = Batch(tail.labels, texts, [piece.time], piece.late)
        return [*batches, lines, *_explanations(tail, piece)]

    def _tell_dropped(self, tail: Tail) -> None:
        if not tail.dropped:
            return
        batch = _gap(tail)
        tail.dropped = 0
        self._store.write([batch], [tail.place()])
        self._told({tail.labels.environment})


def _gap(tail: Tail) -> Batch:
    words = dropped_words(tail.dropped)
    return Batch(tail.labels, [f"({words})"], [clock.now()], gap=words)


def _explanations(tail: Tail, piece: Piece) -> list[Batch]:
    """Say what the sandbox refused, in the platform's name; a build may write where it likes."""
    labels = tail.labels
    if labels.source == "build" or not (said := tail.refusals.look(piece.data)):
        return []
    if labels.source == "app":
        own = replace(labels, source="platform", mask=())
        return [Batch(own, [f"{labels.instance}: {each}" for each in said], [piece.time])]
    return [Batch(labels, [f"(perron: {each})" for each in said], [piece.time])]


def _last_alive(alive: Path) -> float | None:
    try:
        return alive.stat().st_mtime
    except FileNotFoundError:
        return None


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except FileNotFoundError:
        path.touch(mode=0o600)
