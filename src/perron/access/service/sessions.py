"""What can be done with sessions and the one-time links that open them."""

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.people import PasswordResetMade, Person
from perron.access.model.sessions import (
    LINK_LASTS,
    RESET_LASTS,
    SESSION_LASTS,
    Link,
    LinkMade,
    LinkNotFound,
    Session,
    SessionEnded,
    SessionNotFound,
    SessionOpened,
)
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import codes

CURRENT = "current"


def open_session(
    uow: UnitOfWork, person: str, *, how: str, token: str | None = None
) -> tuple[Session, str]:
    """Return a new session of a person and its secret, which is never seen again."""
    uow.actor, uow.actor_kind = person, "person"
    secret, now = codes.session(), clock.now()
    session = Session(
        id=ids.new("ses"),
        person=person,
        created=now,
        last_used=now,
        expires=now + SESSION_LASTS,
        address=uow.caller.address if uow.caller else None,
        agent=uow.caller.client if uow.caller else None,
        token=token,
    )
    store.sessions.prune(uow, now - SESSION_LASTS)
    row = vars(session) | {"digest": codes.digest(secret)}
    store.keep(uow, store.sessions.sessions, **row)
    spine.record(uow, SessionOpened(how), subject=session.id, of=Place())
    return session, secret


def sessions_of(uow: UnitOfWork, person: Actor) -> list[Session]:
    """Return the browsers a person is signed in with, oldest first."""
    now = clock.now()
    return [each for each in store.sessions.sessions_of(uow, person.id) if each.is_good(now)]


def end_session(uow: UnitOfWork, person: Actor, id: str) -> None:
    """End a session of this person; ``current`` is the one that asks. Twice is harmless."""
    session = store.sessions.find_session(uow, (person.session or "") if id == CURRENT else id)
    if session is None or session.person != person.id:
        raise SessionNotFound(f"You have no session {id!r}.", session=id)
    end(uow, session, why="asked")


def end(uow: UnitOfWork, session: Session, *, why: str) -> None:
    """Let a session open nothing any more."""
    if session.ended is None:
        store.sessions.set_session(uow, session.id, ended=clock.now())
        ended = SessionEnded(session.person, why)
        spine.record(uow, ended, subject=session.id, of=Place())


def end_all(uow: UnitOfWork, person: str, *, why: str, keep: str | None = None) -> None:
    """End every session of a person but the one to ``keep``."""
    for session in store.sessions.sessions_of(uow, person):
        if session.id != keep:
            end(uow, session, why=why)


def make_link(uow: UnitOfWork, person: Actor) -> tuple[Link, str]:
    """Return a link that signs its maker in, once, and its code."""
    link, code = _keep_link(uow, "login", person.id, person)
    made = LinkMade(link.expires.isoformat())
    spine.record(uow, made, subject=person.id, of=Place())
    return link, code


def make_reset(uow: UnitOfWork, by: Actor, person: Person) -> tuple[Link, str]:
    """Return a link by which a person sets a new password, once, and its code."""
    link, code = _keep_link(uow, "reset", person.id, by)
    made = PasswordResetMade(link.expires.isoformat())
    spine.record(uow, made, subject=person.id, of=Place())
    return link, code


def find_link(uow: UnitOfWork, kind: str, code: str) -> Link:
    """Return a link that is still good, or raise LinkNotFound."""
    link = store.sessions.link_with(uow, codes.digest(code), kind)
    if link is None or not link.is_good(clock.now()):
        raise LinkNotFound("This link was used, is too old, or never was; ask for another one.")
    return link


def use_link(uow: UnitOfWork, kind: str, code: str) -> Link:
    """Use a link up and return it; the transaction sees to it that only one succeeds."""
    link = find_link(uow, kind, code)
    store.sessions.use_link(uow, link.digest, clock.now())
    return link


def _keep_link(uow: UnitOfWork, kind: str, person: str, by: Actor) -> tuple[Link, str]:
    code, now = codes.link(), clock.now()
    lasts = LINK_LASTS if kind == "login" else RESET_LASTS
    link = Link(codes.digest(code), kind, person, by.id, now, now + lasts, by.token)
    store.keep(uow, store.sessions.links, **vars(link))
    return link, code
