"""A page followed live: what its parts show anew is sent as it happens.

Nothing waits in a thread: between two looks the stream sleeps until the platform's bell rings.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager

from starlette.responses import StreamingResponse

from perron.client import Fault, Refused

from .parts import Parts, changed, digest_of
from .surroundings import Ear

PACE = 0.25  # seconds between two looks at least, and five times what a look takes
SLOWEST = 2.0
HEARTBEAT = 10.0
QUIET = 2  # heartbeats after which even an unchanging platform is looked at: times grow

Draw = Callable[[], Awaitable[Parts]]
Listen = Callable[[], AbstractContextManager[Ear]]


def follow(draw: Draw, listen: Listen, seen: str) -> StreamingResponse:
    """Answer with a page's parts as they change; ``seen`` names what the browser has already."""
    return StreamingResponse(
        _messages(draw, listen, seen),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _messages(draw: Draw, listen: Listen, seen: str) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    before: dict[str, str] = {}
    page = ""
    with listen() as ear:
        while True:
            began = asyncio.get_running_loop().time()
            try:
                now = await draw()
            except Refused:
                yield _message("gone", "The page is no more, or you are signed out.", "")
                return
            except Fault:
                return  # the browser asks again
            page = page or now.page
            if now.page != page:
                yield _message("gone", "Another page is here now.", "")
                return
            id = digest_of(now)
            if id != seen:
                for part in changed(before, now):
                    yield _message("part", part, id)
            before, seen = now.frames, id
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(min(SLOWEST, max(PACE, 5 * took)))
            async for beat in _until_rung(ear):
                yield beat


async def _until_rung(ear: Ear) -> AsyncIterator[str]:
    for _ in range(QUIET):
        if await ear.wait(HEARTBEAT):
            return
        yield ": still here\n\n"


def _message(event: str, data: str, id: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines())
    return f"event: {event}\n" + (f"id: {id}\n" if id else "") + lines + "\n"
