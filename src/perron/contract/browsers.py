"""What a browser session looks like on the wire: its cookie, its forms, and where they come from.

The API takes the cookie for GET and HEAD alone. Pages that change something check ``is_own_origin``
and ``is_own_form`` first, then call the API with ``Bearer <session secret>``.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

SECURE_COOKIE = "__Host-perron_session"
PLAIN_COOKIE = "perron_session"
MAX_AGE = 30 * 24 * 3600  # seconds; the server's row ends by itself, and earlier when idle
DEVICE_COOKIE = "perron_device"  # what SessionMadeView.device is kept in, for a year
DEVICE_AGE = 365 * 24 * 3600
CSRF_FIELD = "csrf"


def cookie_name(scheme: str) -> str:
    """Return what the cookie is called; only HTTPS can keep one that no sibling host may set."""
    return SECURE_COOKIE if scheme == "https" else PLAIN_COOKIE


def scheme_of(headers: Mapping[str, str]) -> str:
    """Return how the visitor came: the edge says so, and takes out what visitors claim."""
    return "https" if headers.get("x-forwarded-proto", "").lower() == "https" else "http"


def secret_in(cookies: Mapping[str, str], scheme: str) -> str:
    """Return the session's secret out of a request's cookies, or an empty text."""
    return cookies.get(cookie_name(scheme), "")


def cookie(secret: str, scheme: str) -> str:
    """Return the ``Set-Cookie`` header that keeps a session in the browser."""
    return f"{cookie_name(scheme)}={secret}; Max-Age={MAX_AGE}; {_manner(scheme)}"


def no_cookie(scheme: str) -> str:
    """Return the ``Set-Cookie`` header that takes the session out of the browser."""
    return f"{cookie_name(scheme)}=; Max-Age=0; {_manner(scheme)}"


def device_cookie(device: str, scheme: str) -> str:
    """Return the ``Set-Cookie`` header that keeps the proof that somebody signed in here."""
    return f"{DEVICE_COOKIE}={device}; Max-Age={DEVICE_AGE}; {_manner(scheme)}"


def device_in(cookies: Mapping[str, str]) -> str | None:
    """Return the proof out of a request's cookies, if there is one that can be."""
    device = cookies.get(DEVICE_COOKIE, "")
    return device if device.isascii() and 0 < len(device) <= 200 else None


def csrf_token(secret: str) -> str:
    """Return what every form of this session carries; it tells nothing about the secret."""
    return hmac.digest(secret.encode(), b"csrf", "sha256").hex()


def is_own_form(secret: str, token: str) -> bool:
    """Say whether a form was made for this session."""
    return hmac.compare_digest(csrf_token(secret).encode(), token.encode())


def is_own_origin(headers: Mapping[str, str], scheme: str) -> bool:
    """Say whether a page of exactly this scheme, host and port sent the request.

    Without ``Origin`` a browser's ``Referer`` decides; without both the answer is no.
    """
    asked = f"{scheme}://{headers.get('host', '')}".lower()
    origin = headers.get("origin")
    if origin is None:
        parts = urlsplit(headers.get("referer", ""))
        origin = f"{parts.scheme}://{parts.netloc}"
    return headers.get("host", "") != "" and origin.lower() == asked


def _manner(scheme: str) -> str:
    return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if scheme == "https" else "")
