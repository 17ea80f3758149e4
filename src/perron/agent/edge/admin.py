"""Speaks with HAProxy's admin socket: a command, an answer."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from .model import Key

_TIMEOUT = 5.0


class EdgeAway(Exception):
    """HAProxy does not answer on its admin socket."""


class EdgeRefused(Exception):
    """HAProxy answered, but would not do what was asked."""


@dataclass(frozen=True)
class Seen:
    """One server as HAProxy counts it."""

    backend: str
    server: str
    status: str
    in_flight: int
    seconds: int


async def ask(socket: Path, *commands: str, payload: str = "") -> str:
    """Return what HAProxy answers to the commands."""
    text = "; ".join(commands) + (f" <<\n{payload.strip()}\n" if payload else "") + "\n"
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(text.encode())
                writer.write_eof()  # the master's socket stays open until we are through
                return (await reader.read(-1)).decode(errors="replace")
            finally:
                writer.close()
    except (OSError, TimeoutError) as why:
        raise EdgeAway(f"The edge does not answer on {socket}: {why}.") from why


async def tell(socket: Path, *commands: str, expect: str = "", payload: str = "") -> None:
    """Let HAProxy do something; raise EdgeRefused when it says anything but ``expect``."""
    answer = await ask(socket, *commands, payload=payload)
    said = [line for line in answer.splitlines() if line.strip()]
    if any(expect == "" or expect not in line for line in said):
        raise EdgeRefused(f"The edge refused {commands[0]!r}: {' '.join(said)}")


async def servers(socket: Path, prefix: str = "") -> list[Seen]:
    """Return every server of the app backends as HAProxy sees it now."""
    answer = await ask(socket, f"{prefix}show stat -1 4 -1")
    head, *rows = [line for line in answer.lstrip("# \n").splitlines() if line] or [""]
    at = {name: number for number, name in enumerate(head.split(","))}
    found = ([row.split(",")[at[name]] for name in _COLUMNS] for row in rows)
    return [
        Seen(backend, server, status, _int(in_flight), _int(seconds))
        for backend, server, status, in_flight, seconds in found
        if ":" in server
    ]


_COLUMNS = ("pxname", "svname", "status", "scur", "lastchg")


async def known(
    socket: Path, hosts: Path, apps: Path
) -> tuple[dict[str, str], dict[str, str], dict[Key, int], frozenset[Key]]:
    """Return the entries of two maps, the port of every app server, and which of them serve."""
    asked = (f"show map {hosts}", f"show map {apps}", "show servers state")
    lines = iter((await ask(socket, *asked)).split("\n"))
    maps = [_entries(takewhile(bool, lines)) for _ in range(2)]
    rows = [row for line in lines if len(row := line.split()) > _PORT and ":" in row[_NAME]]
    return (
        maps[0],
        maps[1],
        {(row[_BACKEND], row[_NAME]): int(row[_PORT]) for row in rows},
        frozenset((row[_BACKEND], row[_NAME]) for row in rows if not int(row[_ADMIN]) & _MAINT),
    )


_BACKEND, _NAME, _ADMIN, _PORT = 1, 3, 6, 18  # fields of a server's state
_MAINT = 0x63  # any reason for maintenance but what the configuration said at first


async def worker(socket: Path) -> int:
    """Return the pid of the worker that answers."""
    answer = await ask(socket, "show info")
    for line in answer.splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    raise EdgeAway("The edge did not say which worker answers.")


async def retired(master: Path) -> list[int]:
    """Return the workers that only finish what they had begun before a reload."""
    try:
        answer = await ask(master, "show proc")
    except EdgeAway:
        return []
    return _workers(answer.partition("# old workers")[2])


async def workers(master: Path) -> list[int]:
    """Return every worker of a master; none when it has ended."""
    try:
        return _workers(await ask(master, "show proc"))
    except EdgeAway:
        return []


def _workers(told: str) -> list[int]:
    rows = (line.split() for line in told.splitlines())
    return [int(row[0]) for row in rows if len(row) > 1 and row[0].isdigit() and row[1] == "worker"]


async def shut_retired(master: Path, pid: int, seen: Seen) -> None:
    """Shut down a server's sessions in a worker that finishes: it knows them only one by one."""
    sessions = await ask(master, f"@!{pid} show sess")
    wanted = f" be={seen.backend} srv={seen.server} "
    for line in sessions.splitlines():
        if wanted in line:
            await ask(master, f"@!{pid} shutdown session {line.partition(':')[0]}")


def _entries(lines: Iterable[str]) -> dict[str, str]:
    rows = (line.split(" ", 2) for line in lines)
    return {row[1]: row[2].strip() for row in rows if len(row) == 3}


def _int(field: str) -> int:
    return int(field) if field.isdigit() else 0
