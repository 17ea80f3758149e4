"""Who stands behind a secret."""

from datetime import timedelta
from functools import partial

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.people import Person
from perron.access.model.sessions import Session
from perron.access.model.tokens import Token
from perron.kit import clock
from perron.kit.db import UnitOfWork
from perron.kit.problems import NotSignedIn

from .codes import SESSION_PREFIX, digest

USED_EVERY = timedelta(minutes=10)  # how exactly "last used" is kept


def actor_with(uow: UnitOfWork, text: str) -> Actor:
    """Return who holds the token or session, or raise NotSignedIn."""
    if not text:
        raise NotSignedIn("The request came without a token: perron login, or set PERRON_TOKEN.")
    if text.startswith(SESSION_PREFIX):
        return _of_session(uow, store.sessions.session_with(uow, digest(text)))
    return _of_token(uow, store.tokens.token_with(uow, digest(text)))


def get_person(uow: UnitOfWork, actor: Actor) -> Person:
    """Return the person behind the actor."""
    person = store.people.find(uow, actor.id)
    if person is None or person.erased:
        raise NotSignedIn("The person behind this token is not here any more.")
    return person


def _of_token(uow: UnitOfWork, token: Token | None) -> Actor:
    now = clock.now()
    if token is None:
        raise NotSignedIn("The token is not known here: perron login, or set PERRON_TOKEN.")
    if not token.is_good(now):
        how = "was revoked" if token.revoked else "has expired"
        raise NotSignedIn(f"The token {how}: make a new one, then perron login.")
    if token.last_used is None or now - token.last_used > USED_EVERY:
        uow.afterwards.append(partial(store.tokens.change, id=token.id, last_used=now))
    return Actor(token.person, "person", token.id, app=token.app, role=token.role)


def _of_session(uow: UnitOfWork, session: Session | None) -> Actor:
    now = clock.now()
    if session is None or not session.is_good(now):
        raise NotSignedIn("The session has ended: sign in again.")
    if now - session.last_used > USED_EVERY:
        uow.afterwards.append(partial(store.sessions.set_session, id=session.id, last_used=now))
    return Actor(session.person, "person", session=session.id)
