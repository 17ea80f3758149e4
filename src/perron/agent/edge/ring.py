"""Reads the ring of access lines in large pieces, without a look at what they say."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from .admin import EdgeAway

GATHER = 0.05
_READ = 1 << 20
_HOLDS = 16 << 20  # more than the ring does
_MANY = 16 << 10  # bytes at once: then more of them are gathered
_GATHER_MANY = 0.25
_REFILL = 0.002  # HAProxy has written the next piece by then


async def read(place: Path, after: bytes = b"") -> AsyncIterator[bytes]:
    """Yield whole lines of the ring, many at a time; end when HAProxy does.

    It begins behind the line ``after``; when the ring holds that no more, at its oldest.
    Between two looks nothing is read: HAProxy then writes large pieces, which costs it less.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        await _ask(connection, place)
        whole, rest = _whole(await _skip(connection, after) if after else b"")
        if whole:
            yield whole
        with suppress(ConnectionError):
            while data := await _gather(connection):
                whole, rest = _whole(rest + data)
                if whole:
                    yield whole
                await asyncio.sleep(_GATHER_MANY if len(whole) > _MANY else GATHER)


async def _ask(connection: socket.socket, place: Path) -> None:
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(connection, str(place))
        await loop.sock_sendall(connection, b"show events access -w\n")
    except OSError as why:
        raise EdgeAway(f"The edge does not answer on {place}: {why}.") from why


async def _gather(connection: socket.socket) -> bytes:
    """Wait for something, then take what is there; nothing when HAProxy has ended."""
    parts = [await asyncio.get_running_loop().sock_recv(connection, _READ)]
    size = len(parts[0])
    while len(parts[-1]) >= _MANY and size < _HOLDS:
        await asyncio.sleep(_REFILL)
        try:
            parts.append(connection.recv(_READ))
        except BlockingIOError:
            break
        size += len(parts[-1])
    return b"".join(parts)


async def _skip(connection: socket.socket, after: bytes) -> bytes:
    """Return what follows a line that was read before; everything, when that is gone."""
    held = b"\n"
    wanted = b"\n" + after + b"\n"
    loop = asyncio.get_running_loop()
    while len(held) < _HOLDS:
        try:
            data = await asyncio.wait_for(loop.sock_recv(connection, _READ), _GATHER_MANY)
        except TimeoutError:
            break
        begin = max(0, len(held) - len(wanted))
        held += data
        at = held.find(wanted, begin)
        if at >= 0:
            return held[at + len(wanted) :]
        if not data:
            break
    return held[1:]


def _whole(data: bytes) -> tuple[bytes, bytes]:
    """Part whole lines from the beginning of one."""
    at = data.rfind(b"\n") + 1
    return data[:at], data[at:]
