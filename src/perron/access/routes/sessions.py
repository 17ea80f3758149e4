"""``/v1/sessions``: signing in and out with a browser; one-time links."""

from fastapi import APIRouter, Request, Response

from perron.access.service import actors, passwords, rights, sessions, signing_in
from perron.contract.people import (
    LOGIN_LINKS,
    LOGIN_PAGE,
    SESSION,
    SESSIONS,
    LoginLinkView,
    SessionMadeView,
    SessionRequest,
    SessionView,
)
from perron.kit import web
from perron.kit.web import Work

from . import doors, shapes
from .doors import By

router = APIRouter()


@router.post(SESSIONS, status_code=201)
def open_session(wanted: SessionRequest, request: Request, response: Response) -> SessionMadeView:
    """Sign in: with handle and password, with the code of a one-time link, or with a token.

    Wrong tries are counted by address and handle, never by account: nobody can lock you out.
    """
    web.never_keep(response)
    if wanted.link is not None:
        return _by_link(request, wanted.link)
    if wanted.token is not None:
        return _by_token(request, wanted.token)
    return _by_password(request, wanted)


@router.get(SESSIONS)
def list_sessions(work: Work, by: By) -> list[SessionView]:
    """List the browsers you are signed in with, oldest first."""
    rights.authorize_platform(work, by, "session.read")
    return [shapes.session(each, by) for each in sessions.sessions_of(work, by)]


@router.delete(SESSION, status_code=204)
def end_session(session: str, work: Work, by: By) -> None:
    """Sign a browser out; ``current`` is the one that asks. Twice is harmless."""
    rights.authorize_platform(work, by, "session.end")
    sessions.end_session(work, by, session)


@router.post(LOGIN_LINKS, status_code=201)
def make_link(work: Work, by: By, response: Response) -> LoginLinkView:
    """Make a page that signs you in, once, for ten minutes."""
    rights.authorize_platform(work, by, "session.create")
    link, code = sessions.make_link(work, by)
    web.never_keep(response)
    return LoginLinkView(path=LOGIN_PAGE.format(code=code), expires=link.expires)


def _by_link(request: Request, code: str) -> SessionMadeView:
    with doors.writing(request) as work:
        link = sessions.use_link(work, "login", code)
        made = sessions.open_session(work, link.person, how="link", token=link.token)
        return shapes.opened(work, made)


def _by_token(request: Request, text: str) -> SessionMadeView:
    with doors.writing(request) as work:
        by = actors.actor_with(work, text.strip())
        work.actor, work.actor_kind = by.id, by.kind
        rights.authorize_platform(work, by, "session.create")
        made = sessions.open_session(work, by.id, how="token", token=by.token)
        return shapes.opened(work, made)


def _by_password(request: Request, wanted: SessionRequest) -> SessionMadeView:
    """Count the try, compare outside any transaction, then let in or refuse."""
    with doors.writing(request) as work:
        tried = signing_in.begin_try(work, wanted.person or "", device=wanted.device)
    is_right = passwords.is_right(tried.kept, wanted.password or "")
    with doors.writing(request) as work:
        person = signing_in.end_try(work, tried, is_right=is_right)
        return shapes.opened(work, sessions.open_session(work, person.id, how="password"))
