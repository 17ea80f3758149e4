"""Whether what the server says can be understood here, what of it cannot, and how no is said."""

import logging

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from perron.contract.node import (
    HEADER,
    NODE,
    VERSION,
    is_understood,
    unknown_fields,
    version_told,
    why_not,
)
from perron.contract.problems import MEDIA_TYPE
from perron.kit.problems import Conflict, Problem, Temporary

MOST = 50  # names of fields kept: enough to see what another version wants
log = logging.getLogger("perron.agent")


class OtherVersion(Conflict):
    """Server and agent are more than one version apart."""


def check_version(version: int) -> None:
    """Raise OtherVersion for what a server says that is more than one version apart."""
    if not is_understood(version):
        raise OtherVersion(why_not(version, VERSION))


class Understanding:
    """Remembers what of the newest wishes and of jobs this version does not know."""

    def __init__(self) -> None:
        self._missed: dict[str, set[str]] = {}
        self._said: set[str] = set()

    @property
    def missed(self) -> list[str]:
        """Return the names of what was not understood, such as ``wishes.sets.colour``."""
        return sorted(set().union(*self._missed.values()))[:MOST]

    def heard(self, shape: type[BaseModel], told: object) -> None:
        """Note what is unknown here; it is done without, and said once in the log."""
        found = unknown_fields(shape, told)
        self._missed[shape.__name__] = found
        if fresh := sorted(found - self._said)[:MOST]:
            self._said.update(fresh)
            log.warning(
                "The server asks for what this agent does not know, and does without: %s. "
                "A newer agent knows it: perron up", ", ".join(fresh),
            )  # fmt: skip


class Versioned:
    """Has every answer say its version, and refuses a server more than one version apart.

    Who this node is, everybody may ask.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one message."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def spoken(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = str(VERSION)
            await send(message)

        version = version_told(Headers(scope=scope).get(HEADER))
        if is_understood(version) or scope["path"] == NODE:
            await self._app(scope, receive, spoken)
            return
        refusal = _answer(OtherVersion(why_not(version, VERSION)))
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await refusal(scope, receive, spoken)


async def tell(_request: Request, why: Exception) -> JSONResponse:
    """Turn what went wrong into problem details."""
    return _answer(why)


def _answer(why: Exception) -> JSONResponse:
    status, facts = 500, {}
    if isinstance(why, Problem):
        status, facts = why.status, why.facts
    elif isinstance(why, Temporary):
        status = 503
    elif isinstance(why, RequestValidationError):
        status = 422
    told = {
        **facts,
        "type": f"/v1/problems/{type(why).__name__}",
        "title": type(why).__name__,
        "status": status,
        "detail": str(why),
    }
    return JSONResponse(told, status, media_type=MEDIA_TYPE)
