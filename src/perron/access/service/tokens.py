"""What can be done with tokens."""

from datetime import datetime

from perron.access import store
from perron.access.model.actors import Actor, Stranger
from perron.access.model.roles import is_within
from perron.access.model.tokens import RoleTooHigh, Token, TokenMade, TokenNotFound, TokenRevoked
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import codes, rights, sessions


def issue_token(
    uow: UnitOfWork, person: Actor, *, name: str = "", expires: datetime | None = None
) -> str:
    """Return the text of a new token; only its digest is kept."""
    return make_token(uow, person, name=name, expires=expires)[1]


def make_token(
    uow: UnitOfWork, person: Actor, *, name: str, expires: datetime | None
) -> tuple[Token, str]:
    """Return a new token for all a person may do, and its text, which is never seen again."""
    return _keep(uow, Token(ids.new("tok"), person.id, name, clock.now(), expires, None, None))


def make_app_token(
    uow: UnitOfWork,
    person: Actor,
    *,
    app: str,
    team: str,
    role: str,
    name: str,
    expires: datetime | None,
) -> tuple[Token, str]:
    """Return a new token for one app, in a role no higher than the person's own."""
    if not is_within(role, own := rights.role_in(uow, person, team)):
        raise RoleTooHigh(f"You are {own} there: a token of yours can be no {role}.", role=role)
    id = ids.new("tok")
    token = Token(id, person.id, name, clock.now(), expires, None, None, app, team, role)
    return _keep(uow, token)


def tokens_of(uow: UnitOfWork, person: Actor) -> list[Token]:
    """Return a person's own tokens, oldest first."""
    return store.tokens.of_person(uow, person.id)


def app_tokens(uow: UnitOfWork, *, app: str) -> list[Token]:
    """Return the tokens that reach this app alone."""
    return store.tokens.of_app(uow, app)


def team_tokens(uow: UnitOfWork, *, team: str) -> list[Token]:
    """Return the tokens that reach one app of the team alone."""
    return store.tokens.of_team(uow, team)


def revoke_token(uow: UnitOfWork, person: Actor, id: str) -> None:
    """Let a token open nothing any more: one's own, or one of an app of a team one owns."""
    token = store.tokens.find(uow, id)
    if token is None or not _may_revoke(uow, person, token):
        raise TokenNotFound(f"You have no token {id!r}; list yours with: perron tokens.", token=id)
    revoke(uow, token)


def revoke(uow: UnitOfWork, token: Token) -> None:
    """Let a token and the sessions it opened open nothing any more; twice is harmless."""
    if token.revoked is not None:
        return
    store.tokens.change(uow, token.id, revoked=clock.now())
    store.sessions.drop_links_by(uow, token.id)
    for session in store.sessions.sessions_by(uow, token.id):
        sessions.end(uow, session, why="token")
    place = Place(team=token.team, app=token.app)
    spine.record(uow, TokenRevoked(token.person), subject=token.id, of=place)


def revoke_all(uow: UnitOfWork, person: str) -> None:
    """Let no token of a person open anything, and forget what they called them."""
    for token in store.tokens.of_person(uow, person):
        revoke(uow, token)
        store.tokens.change(uow, token.id, name="")


def revoke_for_team(uow: UnitOfWork, person: str, *, team: str) -> None:
    """Let a person's tokens for single apps of a team open nothing any more."""
    for token in store.tokens.of_person(uow, person):
        if token.team == team:
            revoke(uow, token)


def revoke_for_app(uow: UnitOfWork, *, app: str) -> None:
    """Let no token reach an app that is no more."""
    for token in store.tokens.of_app(uow, app):
        revoke(uow, token)


def move_tokens(uow: UnitOfWork, *, app: str, team: str) -> None:
    """Take an app's tokens along to its new team; those of people who are not in it end."""
    for token in store.tokens.of_app(uow, app):
        if rights.role_in(uow, Actor(token.person), team) is None:
            revoke(uow, token)
        else:
            store.tokens.change(uow, token.id, team=team)


def _keep(uow: UnitOfWork, token: Token) -> tuple[Token, str]:
    text = codes.token()
    store.keep(uow, store.tokens.tokens, **vars(token), digest=codes.digest(text))
    until = token.expires.isoformat() if token.expires else None
    place = Place(team=token.team, app=token.app)
    spine.record(uow, TokenMade(until, token.role), subject=token.id, of=place)
    return token, text


def _may_revoke(uow: UnitOfWork, person: Actor, token: Token) -> bool:
    if token.person == person.id:
        return True
    if token.team is None:
        return False
    try:
        what = {"permission": "app_token.revoke", "subject": token.id}
        rights.authorize(uow, person, team=token.team, **what)
    except Stranger:
        return False
    return True
