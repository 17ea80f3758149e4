"""Secrets that are shown once: only their digests are kept."""

import secrets
from hashlib import sha256

from perron.access.model.sessions import LETTERS

TOKEN_PREFIX = "perron_"  # noqa: S105 - what every token begins with
SESSION_PREFIX = "perron_s_"


def token() -> str:
    """Return the text of a token: 256 random bits."""
    while (text := f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}").startswith(SESSION_PREFIX):
        pass  # the two are told apart by how they begin
    return text


def session() -> str:
    """Return the secret of a session: 256 random bits."""
    return f"{SESSION_PREFIX}{secrets.token_urlsafe(32)}"


def link() -> str:
    """Return the code at the end of a page's address: 160 random bits."""
    return secrets.token_hex(20)


def spoken() -> str:
    """Return a short code that two screens show and a person compares, such as BCDF-GHJK."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def digest(text: str) -> str:
    """Return what is kept of a secret."""
    return sha256(text.encode()).hexdigest()
