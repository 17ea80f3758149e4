"""What is done with every request before a room sees it: an id, and a bound on its body."""

import re
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_JSON = 32 << 20  # bytes; files are streamed, and bounded where they are taken
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Identified:
    """Gives every request an id, the edge's if it came with one, and returns it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        id = given if _ID.fullmatch(given) else f"req_{token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = id

        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = id
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        await self.app(scope, receive, identified)


class Bounded:
    """Refuses bodies of JSON that are too large, before they are all read."""

    def __init__(self, app: ASGIApp, *, most: int = MAX_JSON) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what comes."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if not headers.get("content-type", "").startswith("application/json"):
            await self.app(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.most:
                raise HTTPException(413, f"A body of JSON may have {self.most} bytes.")
            return message

        await self.app(scope, counted, send)
