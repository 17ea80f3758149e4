"""Finds out whether an instance that was just started is well."""

import asyncio
import os
import socket
import time
from dataclasses import dataclass, field

from perron.contract.node import HealthCheck

from .model import is_well

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.25
GROWTH = 1.3
HEAD_LIMIT = 65_536
ANSWER_LIMIT = 1 << 20


@dataclass
class Findings:
    """What the checks of one start found, kept so that a failure can be told in words."""

    failures: dict[str, int] = field(default_factory=dict)

    def count(self, failure: str) -> None:
        """Note that a check failed, and how."""
        self.failures[failure] = self.failures.get(failure, 0) + 1

    def in_words(self, check: HealthCheck) -> str:
        """Say what was tried and what came of it."""
        told = ", ".join(
            f"{what}, {count} times" if count > 1 else what
            for what, count in sorted(self.failures.items(), key=lambda pair: -pair[1])[:3]
        )
        what = f"did not answer {check.path} well" if check.kind == "http" else "did not listen"
        return f"{what} in {check.deadline:g} s ({told or 'no check came to an end'})"


async def become_well(check: HealthCheck, port: int | None, host: str, findings: Findings) -> bool:
    """Wait until an instance is well; false when its deadline passed first."""
    if check.kind == "up" or port is None:
        await asyncio.sleep(check.up_for)
        return True
    until = time.monotonic() + check.deadline
    pause = FIRST_PAUSE
    while (left := until - time.monotonic()) > 0:
        failure = await look(check, port, host, min(check.timeout, max(left, 0.1)))
        if not failure:
            return True
        findings.count(failure)
        await asyncio.sleep(min(pause, max(until - time.monotonic(), 0)))
        pause = min(pause * GROWTH, LONGEST_PAUSE)
    return False


async def look(check: HealthCheck, port: int, host: str, timeout: float) -> str:
    """Check once; return what is wrong, nothing when all is well."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await _connect(port)
            try:
                return "" if check.kind == "tcp" else await _ask(check, host, reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    except ConnectionRefusedError:
        return "connection refused"
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return "connection broken"


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; that nobody listens yet, as most of the time, is found out at once."""
    address, loop = ("127.0.0.1", port), asyncio.get_running_loop()
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connection.connect_ex(address)
        if why := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(why, os.strerror(why))
        await loop.sock_connect(connection, address)
        return await asyncio.open_connection(sock=connection, limit=HEAD_LIMIT)
    except BaseException:
        connection.close()
        raise


async def _ask(
    check: HealthCheck, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str:
    writer.write(
        f"GET {check.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: perron-health/1\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n".encode()
    )
    line = await reader.readuntil(b"\n")
    protocol, status = line.split(maxsplit=2)[:2]
    if not protocol.startswith(b"HTTP/1."):
        return "an answer that is not HTTP"
    await _hear_out(reader)
    return "" if is_well(int(status), strict=check.strict) else f"answered {int(status)}"


async def _hear_out(reader: asyncio.StreamReader) -> None:
    """Read to the end, within limits: an app that is cut off while it answers complains."""
    left = ANSWER_LIMIT
    while left > 0 and (part := await reader.read(left)):
        left -= len(part)
