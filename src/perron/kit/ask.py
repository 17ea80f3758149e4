"""One HTTP question over a unix socket, with nothing but the standard library."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any


class NoAnswer(Exception):
    """Nobody answered, or not in a way that can be read."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        """Connect to the socket's path in place of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(path: Path, what: str, *, method: str = "GET", timeout: float = 2.0) -> Any:
    """Return the JSON that ``what`` answers at the socket ``path``, or raise NoAnswer."""
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, what)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as why:
        raise NoAnswer(f"{path.name} does not answer: {why}.") from why
    finally:
        connection.close()
    if answer.status >= 400:
        raise NoAnswer(
            f"{path.name} answered {answer.status}: {body[:200].decode(errors='replace')}"
        )
    return json.loads(body) if body else None
