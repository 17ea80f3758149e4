"""What the browser keeps for us: the session, the theme, the time zone, and what a toast says."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from perron.contract import browsers

THEME = "perron_theme"
ZONE = "perron_zone"
SAID = "perron_said"
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Session:
    """Who is signed in, by the secret their browser keeps; empty when nobody is."""

    secret: str = ""

    @property
    def csrf(self) -> str:
        """What every form of this session carries."""
        return browsers.csrf_token(self.secret) if self.secret else ""

    def is_own_form(self, token: str) -> bool:
        """Say whether a form was made for this session; without one there is nothing to guard."""
        return not self.secret or browsers.is_own_form(self.secret, token)


def of_session(made: Mapping[str, str], scheme: str) -> tuple[str, ...]:
    """Return the cookies that keep a session that was opened, and the proof of this browser."""
    session = browsers.cookie(made["secret"], scheme)
    return session, browsers.device_cookie(made["device"], scheme)


def session_in(cookies: Mapping[str, str], scheme: str) -> Session:
    """Return the session a request's cookies carry."""
    secret = browsers.secret_in(cookies, scheme)
    return Session(secret if secret.isascii() and secret.isprintable() else "")


def theme_in(cookies: Mapping[str, str]) -> str:
    """Return the theme that was chosen; empty when the system decides."""
    theme = cookies.get(THEME, "")
    return theme if theme in THEMES else ""


def say(text: str, session: Session) -> str:
    """Return the cookie that lets the next page say something in a toast, once."""
    told = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{SAID}={told}.{_seal(told, session)}; Max-Age=20; Path=/; HttpOnly; SameSite=Lax"


def said_in(cookies: Mapping[str, str], session: Session) -> str:
    """Return what a toast shall say; only what we wrote for this session counts."""
    told, _, seal = cookies.get(SAID, "").partition(".")
    if not told or not hmac.compare_digest(seal.encode(), _seal(told, session).encode()):
        return ""
    return base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode(errors="replace")


def said_already() -> str:
    """Return the cookie that lets no page say it again."""
    return f"{SAID}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"


def _seal(told: str, session: Session) -> str:
    return hmac.digest(session.secret.encode() or b"nobody", told.encode(), "sha256").hex()[:32]
