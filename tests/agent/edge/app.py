"""An app that does what its visitor asks: echo, stream, fail, wait, take uploads."""

import asyncio
import base64
import hashlib
import json
import os
import sys

COUNT = {"requests": 0, "checks": 0}
FAIL = {"health": 200}


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if not await one(head, reader, writer):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def one(head, reader, writer):
    method, path, _ = head.split("\r\n")[0].split(" ")
    lines = [line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line]
    headers = {name.lower(): value.strip() for name, value in lines}
    if path.startswith("/healthz"):
        COUNT["checks"] += 1
        return say(writer, b"", status=FAIL["health"])
    if path.startswith("/checks-see/"):
        FAIL["health"] = int(path.rpartition("/")[2])
        return say(writer, b"so be it")
    COUNT["requests"] += 1
    if path == "/die-first":  # read, then die without a word
        os._exit(1)
    if headers.get("expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await body_of(headers, reader)
    if path in SPECIAL:
        return await SPECIAL[path](headers, reader, writer)
    if path.startswith("/wait"):
        await asyncio.sleep(float(path.rpartition("/")[2]))
    if path.startswith("/status"):
        return say(writer, b"as asked", status=int(path.rpartition("/")[2]))
    told = {
        "pid": os.getpid(), "method": method, "path": path, "headers": headers, "head": head,
        "size": len(body), "sha256": hashlib.sha256(body).hexdigest(), **COUNT,
    }  # fmt: skip
    return say(writer, json.dumps(told).encode(), is_head=method == "HEAD")


async def die(_headers, _reader, _writer):
    os._exit(1)


async def fall_ill(_headers, _reader, writer):
    FAIL["health"] = 500
    return say(writer, b"cough")


async def half(_headers, _reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    os._exit(1)


async def body_of(headers, reader):
    if "chunked" in headers.get("transfer-encoding", ""):
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return b"".join(parts)
    return await reader.readexactly(int(headers.get("content-length", 0)))


def say(writer, body, status=200, *, is_head=False):
    head = b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    writer.write(head if is_head else head + body)  # at once: a kill leaves no half answer
    return True


async def stream(_headers, _reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    for number in range(1000):
        writer.write(b"data: %d\n\n" % number)
        await writer.drain()
        await asyncio.sleep(0.02)
    return False


async def websocket(headers, reader, writer):
    key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept.encode()
    )
    while data := await reader.read(4096):  # echo, frame or not
        writer.write(data)
        await writer.drain()
    return False


SPECIAL = {
    "/die": die, "/fall-ill": fall_ill, "/half": half, "/sse": stream, "/websocket": websocket,
}  # fmt: skip


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
