"""An app that shows what arrives, byte for byte, and takes nothing that could be read two ways."""

import asyncio
import json
import re
from dataclasses import dataclass, field

NAME = re.compile(rb"[A-Za-z0-9-]+")
REQUEST = re.compile(rb"([A-Z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.1")
LENGTH = re.compile(rb"[0-9]{1,15}")
CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}")


class TwoWays(Exception):
    """What arrived could be read differently by another server."""


@dataclass
class Seen:
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]


@dataclass
class Strict:
    """Counts the requests that arrive; ``doubts`` are those that are not written plainly."""

    name: str
    seen: list[Seen] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    port: int = 0

    async def open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def close(self):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while True:
                found = await read_one(reader)
                if found.path == "/":  # the health check asks for nothing else
                    writer.write(b"HTTP/1.1 200 Said\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.seen.append(found)
                told = json.dumps({"app": self.name, "path": found.path}).encode()
                size = len(told) if found.method != "HEAD" else 0
                writer.write(b"HTTP/1.1 200 Said\r\nContent-Length: %d\r\n\r\n" % size)
                writer.write(told[:size])
        except TwoWays as doubt:
            self.doubts.append(str(doubt))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def read_one(reader):
    """Read one request, or raise TwoWays."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    if not (begun := REQUEST.fullmatch(first)):
        raise TwoWays(f"the request line {first!r}")
    headers = [_field(line) for line in lines]
    found = Seen(begun[1].decode(), begun[2].decode("latin-1"), headers, b"")
    if len(found.all("host")) != 1:
        raise TwoWays(f"hosts {found.all('host')}")
    found.body = await _body(reader, found)
    return found


def _field(line):
    name, colon, value = line.partition(b":")
    if not colon or not NAME.fullmatch(name):
        raise TwoWays(f"the header {line!r}")
    if any((byte < 32 and byte != 9) or byte == 127 for byte in value):
        raise TwoWays(f"the header {line!r}")
    return name.decode(), value.strip(b" \t").decode("latin-1")


async def _body(reader, found):
    lengths, codings = found.all("content-length"), found.all("transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise TwoWays(f"lengths {lengths} and codings {codings}")
    if codings:
        if codings != ["chunked"]:
            raise TwoWays(f"codings {codings}")
        return await _chunks(reader)
    if lengths and not LENGTH.fullmatch(lengths[0].encode()):
        raise TwoWays(f"the length {lengths[0]!r}")
    return await reader.readexactly(int(lengths[0])) if lengths else b""


async def _chunks(reader):
    parts = []
    while True:
        line = (await reader.readuntil(b"\r\n"))[:-2]
        if not CHUNK.fullmatch(line):
            raise TwoWays(f"the chunk size {line!r}")
        if not int(line, 16):
            break
        parts.append(await reader.readexactly(int(line, 16)))
        if await reader.readexactly(2) != b"\r\n":
            raise TwoWays("a chunk that does not end")
    while line := (await reader.readuntil(b"\r\n"))[:-2]:
        _field(line)
    return b"".join(parts)
