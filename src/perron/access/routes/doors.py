"""The door of every route: who is asking, by a bearer token or by a browser's cookie."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from perron.access.model.actors import Actor, CookieAlone
from perron.access.service import actors
from perron.contract import browsers
from perron.kit import db, web
from perron.kit.answers import InWork, Later
from perron.kit.callers import caller_of
from perron.kit.db import Database, UnitOfWork

bearer = HTTPBearer(
    auto_error=False, description="A token (perron login), or the secret of a session."
)
Described = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
SIGNED = [Depends(bearer)]  # told to readers; each transaction asks for itself
READING = ("GET", "HEAD")
OWN_PAGES = ("", "same-origin", "none")


class Asker(InWork[Actor]):
    """Who asks, found before the route's own work; told to readers of the API as well."""

    async def __call__(self, request: Request, _described: Described = None) -> Later[Actor]:
        """Promise it."""
        return Later(request, self.find)


def current_actor(request: Request, work: UnitOfWork) -> Actor:
    """Return who asks, unless the request was answered before."""
    actor = identify(request, work)
    web.recall(request, work)
    return actor


def identify(connection: HTTPConnection, uow: UnitOfWork) -> Actor:
    """Return who asks; what is recorded in ``uow`` bears their id.

    For doors that open transactions of their own: ``By`` does it for all others.
    """
    uow.caller = caller_of(connection.headers)
    actor = actors.actor_with(uow, token_of(connection) or _cookie(connection))
    uow.actor, uow.actor_kind = actor.id, actor.kind
    return actor


def token_of(connection: HTTPConnection) -> str:
    """Return the bearer token of a request, or an empty text."""
    return connection.headers.get("authorization", "").removeprefix("Bearer").strip()


By = Annotated[Actor, Depends(Asker(current_actor))]


@contextmanager
def reading(request: Request) -> Generator[UnitOfWork]:
    """Open a transaction of a route's own that only reads."""
    database: Database = request.app.state.database
    with db.reading(database) as uow:
        uow.caller = caller_of(request.headers)
        yield uow


@contextmanager
def writing(request: Request) -> Generator[UnitOfWork]:
    """Open a transaction of a route's own that writes."""
    database: Database = request.app.state.database
    with db.unit_of_work(database) as uow:
        uow.caller = caller_of(request.headers)
        yield uow


def _cookie(connection: HTTPConnection) -> str:
    """Return the session in the browser's cookie, for looking only.

    A cookie comes along whoever made the browser ask; so it changes nothing, opens no terminal,
    and counts for no page of another site.
    """
    secret = browsers.secret_in(connection.cookies, browsers.scheme_of(connection.headers))
    if not secret:
        return ""
    if connection.scope.get("method") not in READING:
        raise CookieAlone(
            "A cookie alone changes nothing here: send the session's secret as a Bearer token, "
            "or use the pages of the platform."
        )
    if connection.headers.get("sec-fetch-site", "") not in OWN_PAGES:
        raise CookieAlone("A page of another site asked for this; open it on the platform itself.")
    return secret
