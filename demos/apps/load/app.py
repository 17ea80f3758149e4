"""An app that speaks every way a visitor can: plain, streamed, upgraded, uploaded, slow.

Standard library only. Answers name the release and the instance, so that a load generator
can tell who served it.
"""

import asyncio
import base64
import hashlib
import json
import os
import signal
from urllib.parse import parse_qs, urlsplit

WHO = {
    "release": os.environ.get("PERRON_RELEASE", "?"),
    "instance": os.environ.get("PERRON_INSTANCE", "?"),
    "colour": "blue",
    "pid": os.getpid(),
}
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests on one connection until it ends."""
    try:
        while await answer(reader, writer):
            pass
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; say whether the connection goes on."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return False
    method, target, _ = head[0].split(" ", 2)
    headers = {k.lower(): v.strip() for k, _, v in (h.partition(":") for h in head[1:] if h)}
    url = urlsplit(target)
    query = {k: v[0] for k, v in parse_qs(url.query).items()}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if stream := STREAMS.get(url.path):
        await stream(reader, writer, headers, query)
        return False
    size = await body(reader, headers)
    if url.path == "/exit":
        os._exit(int(query.get("code", 3)))
    status = 500 if url.path == "/fail" else 200
    reply(writer, status, {**WHO, "method": method, "bytes": size})
    await writer.drain()
    return headers.get("connection", "").lower() != "close"


def reply(writer: asyncio.StreamWriter, status: int, what: object) -> None:
    """Write a whole JSON answer."""
    content = json.dumps(what).encode() + b"\n"
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)


async def body(reader: asyncio.StreamReader, headers: dict[str, str]) -> int:
    """Read the request's body to its end; return its size."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        total = 0
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
            total += size
        await reader.readline()
        return total
    left = int(headers.get("content-length", 0))
    total = left
    while left:
        chunk = await reader.read(min(left, 65536))
        if not chunk:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(chunk)
    return total


async def events(
    _reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    _headers: dict[str, str],
    query: dict[str, str],
) -> None:
    """Stream server-sent events; the last one is called end."""
    number, every = int(query.get("n", 20)), float(query.get("every", 0.1))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    for each in range(number):
        writer.write(f"data: {json.dumps({**WHO, 'n': each})}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(every)
    writer.write(b"event: end\ndata: {}\n\n")
    await writer.drain()


async def download(
    _reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    _headers: dict[str, str],
    query: dict[str, str],
) -> None:
    """Send so many bytes, chunked."""
    size = int(query.get("size", 1 << 20))
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    piece = b"x" * 16384
    while size > 0:
        part = piece[: min(size, len(piece))]
        writer.write(b"%x\r\n" % len(part) + part + b"\r\n")
        await writer.drain()
        size -= len(part)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def websocket(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    headers: dict[str, str],
    _query: dict[str, str],
) -> None:
    """Echo text frames until the client closes."""
    key = hashlib.sha1((headers["sec-websocket-key"] + GUID).encode()).digest()
    accept = base64.b64encode(key).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while True:
        first, second = await reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        mask = await reader.readexactly(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(length)))
        opcode = first & 0x0F
        writer.write(bytes([0x80 | opcode, len(data)]) + data)
        await writer.drain()
        if opcode == 8:
            return


STREAMS = {"/ws": websocket, "/sse": events, "/download": download}


async def main() -> None:
    """Listen on PORT until told to stop."""
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]), backlog=1024)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(f"listening, release {WHO['release']}", flush=True)
    await stop.wait()
    server.close()


asyncio.run(main())
