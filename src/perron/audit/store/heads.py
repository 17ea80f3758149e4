"""Heads on disk: signed with a key outside the database, published in files outside it."""

import json
import os
import threading
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from perron.audit.model import Head, HeadRefused
from perron.kit.files import private_folder, write_whole
from perron.kit.settings import Home

JOURNAL, NEWEST, KEY = "heads.jsonl", "head.json", "audit.key"
LONGEST_LINE = 1 << 16
_publishing = threading.Lock()


@dataclass(frozen=True)
class Published:
    """Every head of the journal, and the newest one, which is written more often."""

    journal: tuple[Head, ...]
    newest: Head | None

    @property
    def heads(self) -> tuple[Head, ...]:
        """All heads, oldest first."""
        if self.newest is None or self.newest in self.journal[-1:]:
            return self.journal
        return (*self.journal, self.newest)

    @property
    def is_cut(self) -> bool:
        """Say whether the newest head is missing although there were heads."""
        return bool(self.journal) and self.newest is None


class Key:
    """The key that signs heads."""

    def __init__(self, secret: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public: bytes = self._private.public_key().public_bytes_raw()
        self.name = sha256(self.public).hexdigest()[:16]

    @classmethod
    def find(cls, home: Home) -> "Key | None":
        """Return the home's key; None when it has none."""
        path = home.keys / KEY
        return cls(path.read_bytes()) if path.exists() else None

    @classmethod
    def make(cls, home: Home) -> "Key":
        """Make the home's key, readable by us alone."""
        private_folder(home.keys)
        write_whole(home.keys / KEY, Ed25519PrivateKey.generate().private_bytes_raw())
        return cls((home.keys / KEY).read_bytes())

    def sign(self, head: Head) -> Head:
        """Return the head with its signature."""
        named = replace(head, key=self.name, signature="")
        return replace(named, signature=self._private.sign(named.signed).hex())

    def is_ours(self, head: Head) -> bool:
        """Say whether this key signed the head as it stands."""
        try:
            public = Ed25519PublicKey.from_public_bytes(self.public)
            public.verify(bytes.fromhex(head.signature), head.signed)
        except (InvalidSignature, ValueError):
            return False
        return True


def folder(home: Home) -> Path:
    """Return where heads are published."""
    return home.path / "audit"


def read(home: Home) -> Published:
    """Return what was published; a line that was half written counts as none."""
    return Published(_journal(folder(home) / JOURNAL), _newest(folder(home) / NEWEST))


def newest(home: Home) -> Head | None:
    """Return the newest head, without reading the whole journal unless it is the only one."""
    found = _newest(folder(home) / NEWEST)
    return found or next(iter(read(home).journal[-1:]), None)


def publish(home: Home, key: Key, head: Head, *, for_good: bool) -> Head:
    """Sign a head and make it the newest; ``for_good`` adds it to the journal, which only grows."""
    place = private_folder(folder(home))
    with _publishing:
        tail = _tail(place / JOURNAL)
        before = _heads_in(tail)[-1:]
        signed = key.sign(replace(head, previous=before[0].digest if before else ""))
        text = json.dumps(asdict(signed), sort_keys=True) + "\n"
        write_whole(place / NEWEST, text)
        if for_good:
            _append(place / JOURNAL, text if not tail or tail.endswith("\n") else f"\n{text}")
    return signed


def from_text(text: str) -> Head:
    """Read a head somebody kept elsewhere, or raise HeadRefused."""
    try:
        return Head(**json.loads(text))
    except (ValueError, TypeError) as why:
        raise HeadRefused("That is no head: give one as GET /v1/audit/head showed it.") from why


def _journal(path: Path) -> tuple[Head, ...]:
    return tuple(_heads_in(path.read_text(errors="replace"))) if path.exists() else ()


def _tail(path: Path) -> str:
    """Return the end of the journal, with its last head whole."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_LINE))
        return file.read().decode(errors="replace")


def _append(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _heads_in(text: str) -> list[Head]:
    found = []
    for line in text.splitlines():
        try:
            found.append(from_text(line))
        except HeadRefused:
            continue  # half a line, from a full disk or a power cut; the next names the one before
    return found


def _newest(path: Path) -> Head | None:
    try:
        return from_text(path.read_text(errors="replace"))
    except (FileNotFoundError, HeadRefused):
        return None
