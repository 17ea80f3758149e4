"""HTTP/2 written by hand, so that what no library would send can be sent."""

import asyncio
import contextlib
import ssl

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags, stream, content):
    return (
        len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content
    )


def packed(fields):
    """Return a header block of literals: never indexed, never shortened, never checked."""
    return b"".join(b"\x10" + _text(name) + _text(value) for name, value in fields)


def _text(text):
    size = len(text)
    if size < 127:
        return bytes([size]) + text
    rest, more = size - 127, b""
    while rest >= 128:
        more += bytes([rest % 128 + 128])
        rest //= 128
    return b"\x7f" + more + bytes([rest]) + text


async def ask(port, fields, body=b"", host="shop.localhost"):
    """Send one request; return the frames that came back, as (kind, stream, content)."""
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=host
    )
    found = []
    try:
        end = 0 if body else END_STREAM
        sent = PREFACE + frame(SETTINGS, 0, 0, b"")
        sent += frame(HEADERS, END_HEADERS | end, 1, packed(fields))
        writer.write(sent + (frame(DATA, END_STREAM, 1, body) if body else b""))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            while True:
                head = await asyncio.wait_for(reader.readexactly(9), 5)
                content = await reader.readexactly(int.from_bytes(head[:3], "big"))
                kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
                found.append((kind, stream, content))
                if kind in (RST, GOAWAY) or (stream == 1 and kind < RST and flags & END_STREAM):
                    break
    finally:
        writer.close()
    return found
