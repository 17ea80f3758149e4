"""Visitors of every kind, who count what they did not get.

A request is *lost* when the answer is a 5xx, is cut short, or never begins on a connection
that was new. A kept-alive connection that ends between two requests loses nothing: the next
request is sent on a new one, as every HTTP client does.
"""

import asyncio
import base64
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from threading import Thread

PATIENCE = 40.0


class Lost(Exception):
    """A visitor did not get what was asked for."""


@dataclass
class Tally:
    """What visitors got, by kind, and what was lost, by reason."""

    got: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def requests(self) -> int:
        return sum(self.got.values()) + sum(self.lost.values())

    def __str__(self) -> str:
        lost = ", ".join(f"{n} {why}" for why, n in self.lost.items()) or "none"
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.got.items()))
        return f"{self.requests} requests ({kinds}); lost: {sum(self.lost.values())} ({lost})"


class Connection:
    """One connection to the edge, for one host."""

    def __init__(self, port: int, host: str) -> None:
        self.port, self.host = port, host
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    def close(self) -> None:
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None

    async def ask(self, method: str, path: str, headers: str = "", body: bytes = b"") -> None:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{headers}{length}\r\n"
        self.writer.write(head.encode() + body)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines[1:] if line)
        return int(lines[0].split()[1]), {k.lower(): v.strip() for k, _, v in fields}

    async def body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                parts.append((await self.reader.readexactly(size + 2))[:-2])
            await self.reader.readexactly(2)
            return b"".join(parts)
        return await self.reader.read()


class Load:
    """Runs visitors in a thread of its own between ``start`` and ``stop``."""

    def __init__(self, port: int, host: str, *, kinds: dict[str, int] | None = None,
                 pace: float = 0.01) -> None:  # fmt: skip
        self.port, self.host, self.pace = port, host, pace
        self.kinds = kinds or {"keep-alive": 4, "fresh": 3, "sse": 2, "websocket": 2,
                               "upload": 1, "download": 1}  # fmt: skip
        self.tally = Tally()
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> Tally:
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(PATIENCE + 10)
        return self.tally

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        visitors = {"keep-alive": keep_alive, "fresh": fresh, "sse": sse, "websocket": websocket,
                    "upload": upload, "download": download}  # fmt: skip
        await asyncio.gather(*(
            self._visit(kind, visitors[kind]) for kind, n in self.kinds.items() for _ in range(n)
        ))  # fmt: skip

    async def _visit(self, kind: str, once: Callable[..., Awaitable[str | None]]) -> None:
        connection = Connection(self.port, self.host)
        while not self._ending.is_set():
            began = asyncio.get_running_loop().time()
            try:
                release = await asyncio.wait_for(once(connection), PATIENCE)
                self.tally.got[kind] += 1
                if release:
                    self.tally.releases[release] += 1
            except Lost as why:
                self.tally.lost[f"{kind}: {why}"] += 1
                connection.close()
            except TimeoutError:
                self.tally.lost[f"{kind}: no answer in {PATIENCE:.0f} s"] += 1
                connection.close()
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as why:
                self.tally.lost[f"{kind}: {type(why).__name__}"] += 1
                connection.close()
            took = asyncio.get_running_loop().time() - began
            self.tally.slowest = max(self.tally.slowest, took if kind in ("keep-alive", "fresh")
                                     else 0.0)  # fmt: skip
            await asyncio.sleep(self.pace)
        connection.close()


def _well(status: int, what: str = "") -> None:
    if status >= 500 or status == 404:
        raise Lost(f"{status} {what}".strip())


async def keep_alive(connection: Connection) -> str | None:
    for _ in range(2):
        is_new = connection.writer is None
        if is_new:
            await connection.open()
        try:
            await connection.ask("GET", "/")
            status, headers = await connection.head()
        except (OSError, asyncio.IncompleteReadError) as why:
            connection.close()
            if is_new or getattr(why, "partial", b""):
                raise
            continue  # an idle connection was closed under us: clients ask again
        content = await connection.body(headers)
        if headers.get("connection", "").lower() == "close":
            connection.close()
        _well(status)
        return json.loads(content)["release"]
    raise Lost("two connections ended before an answer")


async def fresh(connection: Connection) -> str | None:
    connection.close()
    await connection.open()
    await connection.ask("GET", "/", "Connection: close\r\n")
    status, headers = await connection.head()
    content = await connection.body(headers)
    connection.close()
    _well(status)
    return json.loads(content)["release"]


async def sse(connection: Connection) -> str | None:
    connection.close()
    await connection.open()
    await connection.ask("GET", "/sse?n=15&every=0.1")
    status, headers = await connection.head()
    _well(status)
    content = await connection.body(headers)
    connection.close()
    if b"event: end" not in content:
        raise Lost("stream cut")
    return None


async def upload(connection: Connection) -> str | None:
    connection.close()
    await connection.open()
    await connection.ask("POST", "/upload", "Transfer-Encoding: chunked\r\n")
    for _ in range(15):
        connection.writer.write(b"1000\r\n" + b"u" * 4096 + b"\r\n")
        await connection.writer.drain()
        await asyncio.sleep(0.1)
    connection.writer.write(b"0\r\n\r\n")
    status, headers = await connection.head()
    content = await connection.body(headers)
    connection.close()
    _well(status)
    if json.loads(content)["bytes"] != 15 * 4096:
        raise Lost("upload incomplete")
    return None


async def download(connection: Connection) -> str | None:
    connection.close()
    await connection.open()
    await connection.ask("GET", f"/download?size={4 << 20}")
    status, _ = await connection.head()
    _well(status)
    total = 0
    while size := int(await connection.reader.readuntil(b"\r\n"), 16):
        await connection.reader.readexactly(size + 2)
        total += size
        if total % (64 << 10) < 16384:
            await asyncio.sleep(0.02)
    connection.close()
    if total != 4 << 20:
        raise Lost("download incomplete")
    return None


async def websocket(connection: Connection) -> str | None:
    connection.close()
    await connection.open()
    key = base64.b64encode(os.urandom(16)).decode()
    await connection.ask("GET", "/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n")  # fmt: skip
    status, _ = await connection.head()
    if status != 101:
        raise Lost(f"{status} instead of an upgrade")
    for each in range(15):
        said = f"hello {each}".encode()
        await _frame(connection, 1, said)
        if await _heard(connection) != said:
            raise Lost("another echo")
        await asyncio.sleep(0.1)
    await _frame(connection, 8, b"\x03\xe8")
    await _heard(connection)
    connection.close()
    return None


async def _frame(connection: Connection, opcode: int, data: bytes) -> None:
    mask = os.urandom(4)
    masked = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
    connection.writer.write(bytes([0x80 | opcode, 0x80 | len(data)]) + mask + masked)
    await connection.writer.drain()


async def _heard(connection: Connection) -> bytes:
    _, length = await connection.reader.readexactly(2)
    return await connection.reader.readexactly(length & 0x7F)
