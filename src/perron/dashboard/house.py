"""The dashboard as one ASGI application, and the doorway that leads to it or to the API."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import assets, pages
from .answering import Answering
from .asking import Act, Page
from .headers import Guarded
from .surroundings import Ear, Surroundings

API = ("/v1", "/.well-known")


class Doorway:
    """Leads what is asked of the API to the API, and everything else to the dashboard."""

    def __init__(self, app: ASGIApp, dashboard: ASGIApp) -> None:
        self.app = app
        self.dashboard = dashboard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        path = scope.get("path", "")
        is_page = scope["type"] == "http" and not any(
            path == each or path.startswith(each + "/") for each in API
        )
        await (self.dashboard if is_page else self.app)(scope, receive, send)


def create_dashboard(
    api: Path,
    *,
    now: Callable[[], datetime],
    listen: Callable[[], AbstractContextManager[Ear]],
) -> ASGIApp:
    """Assemble the pages over the API at the unix socket ``api``."""
    answering = Answering(Surroundings(api, now, listen))
    routes = [Route("/assets/{name}", assets.give)]
    routes += [_route(answering, each) for each in pages.ALL]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guarded), Middleware(GZipMiddleware, compresslevel=5)],
        exception_handlers={
            HTTPException: _named(answering.show_refusal),
            Exception: _named(answering.show_fault),
        },
    )


def _route(answering: Answering, what: Page | Act) -> Route:
    async def answer(request: Request) -> Response:
        if isinstance(what, Page):
            return await answering.page(request, what)
        return await answering.act(request, what)

    return Route(what.path, answer, methods=["GET"] if isinstance(what, Page) else ["POST"])


def _named(
    show: Callable[[Request, Exception], Awaitable[Response]],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, why: Exception) -> Response:
        return await show(request, why)

    return answer
