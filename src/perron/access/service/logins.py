"""A command line that asks to be let in, and the person who lets it in with a browser."""

from secrets import compare_digest

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.patience import TooManyTries
from perron.access.model.sessions import (
    LOGIN_LASTS,
    LOGIN_TOKEN_LASTS,
    Login,
    LoginApproved,
    LoginDenied,
    LoginNotFound,
    LoginTaken,
)
from perron.access.model.tokens import Token
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import codes, tokens

FROM_ONE_ADDRESS = 50
IN_ALL = 1000


def ask_in(uow: UnitOfWork, name: str) -> tuple[Login, str]:
    """Return a command line's wish to be let in, and the secret only it knows."""
    now = clock.now()
    address = uow.caller.address if uow.caller else None
    there, everywhere = store.sessions.count_logins(uow, now, address or "")
    if there >= FROM_ONE_ADDRESS or everywhere >= IN_ALL:
        raise TooManyTries(
            "Too many command lines wait to be let in; try again in some minutes, or sign in "
            "with a token: perron login --token.",
            retry_after=60,
        )
    secret, code = codes.link(), codes.spoken()
    while store.sessions.login_with(uow, code):
        code = codes.spoken()
    agent = uow.caller.client if uow.caller else None
    login = Login(code, codes.digest(secret), name, now, now + LOGIN_LASTS, address, agent)
    store.keep(uow, store.sessions.logins, **vars(login))
    return login, secret


def find_login(uow: UnitOfWork, code: str) -> Login:
    """Return what waits to be let in under this code, or raise LoginNotFound."""
    login = store.sessions.login_with(uow, code.strip().upper())
    if login is None or not login.is_open(clock.now()):
        raise _nothing_waits()
    return login


def approve(uow: UnitOfWork, by: Actor, code: str) -> Login:
    """Let a command line in with the rights of this person; twice is harmless."""
    login = find_login(uow, code)
    if login.person not in (None, by.id):
        raise LoginTaken("Somebody else has let it in already; begin again with: perron login.")
    if login.person is None:
        store.sessions.set_login(uow, login.code, person=by.id)
        spine.record(uow, LoginApproved(), subject=by.id, of=Place())
    return find_login(uow, code)


def deny(uow: UnitOfWork, by: Actor, code: str) -> None:
    """Refuse a command line that asks to be let in."""
    login = find_login(uow, code)
    if login.person not in (None, by.id):
        raise LoginTaken("Somebody else has let it in already.")
    store.sessions.drop_login(uow, login.code)
    spine.record(uow, LoginDenied(), subject=by.id, of=Place())


def collect(uow: UnitOfWork, code: str, secret: str) -> tuple[Token, str] | None:
    """Return the token of a command line that was let in, once; None while it waits."""
    login = find_login(uow, code)
    if not compare_digest(login.digest, codes.digest(secret)):
        raise _nothing_waits()
    if login.person is None:
        return None
    now = clock.now()
    store.sessions.set_login(uow, login.code, used=now)
    uow.actor, uow.actor_kind = login.person, "person"
    expires = now + LOGIN_TOKEN_LASTS
    return tokens.make_token(uow, Actor(login.person), name=login.name, expires=expires)


def _nothing_waits() -> LoginNotFound:
    return LoginNotFound(
        "Nothing waits with that code: it was let in, refused, or waited too long. "
        "Begin again with: perron login."
    )
