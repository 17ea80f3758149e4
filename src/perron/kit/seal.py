"""Secrets at rest: AES-256-GCM with the owner's name bound in, so that none can change hands."""

import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .files import private_folder, write_whole

KEY_ID = 1
_NONCE = 12


class KeyLost(Exception):
    """A secret cannot be opened: the key is another one, or the text was moved or damaged."""


class Sealer:
    """Seals and opens secrets with one key.

    A sealed text is a key-id byte, a nonce of 12 bytes, then ciphertext with its tag. The
    associated data is the owner's name, so that a text moved to another owner does not open.
    """

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)
        self._naming = hmac.digest(key, b"perron names", "sha256")

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Read the key at ``path``; make it, readable by us alone, if there is none."""
        if not path.exists():
            private_folder(path.parent)
            write_whole(path, secrets.token_bytes(32))
        return cls(path.read_bytes())

    def name(self, text: str) -> str:
        """Return a digest of ``text`` that tells nothing to whoever lacks the key."""
        return hmac.digest(self._naming, text.encode(), "sha256").hex()

    def seal(self, text: str, *, owner: str) -> bytes:
        """Return ``text`` so that only this key opens it, and only for ``owner``."""
        nonce = os.urandom(_NONCE)
        return bytes([KEY_ID]) + nonce + self._key.encrypt(nonce, text.encode(), owner.encode())

    def open(self, sealed: bytes, *, owner: str) -> str:
        """Return the text, or raise KeyLost."""
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._key.decrypt(nonce, body, owner.encode()).decode()
        except InvalidTag:
            raise KeyLost(f"The secret of {owner} does not open with this key.") from None
