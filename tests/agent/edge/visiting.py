"""Visitors who ask an edge again and again while something else is done."""

import asyncio
from collections import Counter

from .conftest import answer


async def visit(world, stop, seen, *, keep_alive=True, method="GET", body=b"", path="/"):
    """Ask again and again; count every answer, and what was no answer."""
    reader = writer = None
    head = f"{method} {path} HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: {len(body)}\r\n"
    while not stop.is_set():
        try:
            if writer is None:
                reader, writer = await world.connect()
            writer.write(head.encode() + b"\r\n" + body)
            got = await answer(reader, method=method)
            seen[got.status] += 1
            if not keep_alive or got.headers.get("connection") == "close":
                writer.close()
                writer = None
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError) as why:
            seen[type(why).__name__] += 1
            writer = None
    if writer is not None:
        writer.close()


async def under_load(world, work, **more):
    stop, seen = asyncio.Event(), Counter()
    visitors = [
        asyncio.create_task(visit(world, stop, seen, keep_alive=number % 2 == 0, **more))
        for number in range(8)
    ]
    try:
        await work()
    finally:
        stop.set()
        await asyncio.gather(*visitors)
    return seen
