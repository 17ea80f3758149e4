"""Commands with a terminal: input, output and the exit code over a WebSocket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .client import Client
from .connections import ANSWER, plug_to, trust
from .faults import Fault, Refused, Unreachable


class SessionLost(Fault):
    """The connection broke before the command told its exit code."""


@dataclass(frozen=True)
class Exit:
    """How a command ended."""

    code: int
    text: str = ""


class Session:
    """A command somebody is attached to."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    def send(self, data: bytes) -> None:
        """Give the command input."""
        self._socket.send(data)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the command how large the terminal is now."""
        self._socket.send(json.dumps({"resize": [rows, columns]}))

    def end_of_input(self) -> None:
        """Tell the command that no more input comes."""
        self._socket.send(json.dumps({"end_of_input": True}))

    def signal(self, name: str) -> None:
        """Send the command a signal, such as ``INT``."""
        self._socket.send(json.dumps({"signal": name}))

    def output(self) -> Iterator[bytes | Exit]:
        """Give the command's output as it comes, and its Exit as the last thing."""
        from websockets.exceptions import ConnectionClosed

        try:
            for frame in self._socket:
                if isinstance(frame, bytes):
                    yield frame
                elif (told := json.loads(frame)) and "exit" in told:
                    yield Exit(int(told["exit"] or 0), str(told.get("text", "")))
                    return
        except ConnectionClosed as why:
            reason = why.rcvd.reason if why.rcvd else ""
            raise SessionLost(reason or "The connection to the command was lost.") from why
        raise SessionLost("The command's connection ended without an exit code.")


@contextmanager
def attach(client: Client, path: str, query: dict[str, Any] | None = None) -> Iterator[Session]:
    """Open the session at ``path`` and close it at the end."""
    from websockets.exceptions import InvalidStatus, WebSocketException

    target = client.address.base + path + (f"?{urlencode(query, doseq=True)}" if query else "")
    try:
        socket = _connect(client, target)
    except InvalidStatus as why:
        raise _refused(why) from why
    except (OSError, WebSocketException) as why:
        raise Unreachable(f"No answer from {client.address.name} ({why}).") from why
    try:
        yield Session(socket)
    finally:
        socket.close()


def _connect(client: Client, target: str) -> Any:
    from websockets.sync.client import connect

    address = client.address
    scheme = "wss" if address.scheme == "https" else "ws"
    dial: Any = connect  # its signature differs from one version to the next
    return dial(
        f"{scheme}://{address.authority}{target}",
        sock=plug_to(address),
        ssl=trust(client.transport.authorities) if scheme == "wss" else None,
        additional_headers=client.transport.authorization(),
        open_timeout=ANSWER,
        max_size=None,
        compression=None,
        proxy=None,
    )


def _refused(why: Any) -> Refused:
    response = why.response
    try:
        problem = json.loads(response.body or b"")
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {"detail": f"The session was refused: HTTP {response.status_code}."}
    return Refused(response.status_code, problem)
