"""Requests and answers, repeated with the same key until somebody answers."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from .addresses import Address
from .connections import connection_to
from .faults import Refused
from .patience import GONE, NOBODY, Away, Patience

Body = bytes | Path | None
PROBLEM = "application/problem+json"
_AWAY = (502, 503, 504)
_LOCKED = "DatabaseLocked"  # the server has waited for it already: a person has to see to it


@dataclass(frozen=True)
class Answer:
    """What the platform answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the answer's document; None when it has none."""
        return json.loads(self.body) if self.body.strip() else None


@dataclass
class Call:
    """One request, the same each time it is sent."""

    method: str
    path: str
    body: Body = None
    headers: dict[str, str] = field(default_factory=dict)


class Transport:
    """Sends calls to one platform over one connection that is kept."""

    def __init__(
        self,
        address: Address,
        token: str,
        *,
        authorities: str = "",
        headers: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda _text: None,
        gone: float = GONE,
        nobody: float = NOBODY,
    ) -> None:
        self.address = address
        self.authorities = authorities
        self._token = token
        self._always = dict(headers or {})
        self._kept: HTTPConnection | None = None
        self._patience = Patience(address.name, tell, gone=gone, nobody=nobody)

    def ask(self, call: Call) -> Answer:
        """Return a good answer; raise Refused or Unreachable."""
        headers = self._headers(call)  # once: a repeated call keeps its key
        return self._patience.repeat(lambda: self._once(call, headers))

    def open(self, call: Call) -> HTTPResponse:
        """Return a good answer that is still to be read, on a connection of its own."""
        headers = self._headers(call)
        return self._patience.repeat(lambda: self._opened(call, headers))

    def authorization(self) -> dict[str, str]:
        """Return the headers that say who calls."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def close(self) -> None:
        """Let go of the connection."""
        if self._kept:
            self._kept.close()
        self._kept = None

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {"Host": self.address.authority, "Accept": "application/json"}
        headers |= {"User-Agent": "perron-cli"} | self._always | self.authorization()
        if call.method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if isinstance(call.body, bytes):
            headers["Content-Type"] = "application/json"
        if isinstance(call.body, Path):
            headers["Content-Type"] = "application/gzip"
            headers["Content-Length"] = str(call.body.stat().st_size)
        return headers | call.headers

    def _once(self, call: Call, headers: dict[str, str]) -> Answer:
        fresh = self._kept is None
        connection = self._kept or connection_to(self.address, self.authorities)
        self._kept = None  # kept again only when all went well
        try:
            response = _exchange(connection, self.address.base, call, headers)
            answer = _read(response)
        except (OSError, HTTPException) as why:
            connection.close()
            raise self._away(why, stale=not fresh) from why
        if response.will_close:
            connection.close()
        else:
            self._kept = connection
        return check(answer)

    def _opened(self, call: Call, headers: dict[str, str]) -> HTTPResponse:
        connection = connection_to(self.address, self.authorities)
        try:
            response = _exchange(connection, self.address.base, call, headers)
            if response.status < 400:
                return response
            answer = _read(response)
        except (OSError, HTTPException) as why:
            connection.close()
            raise self._away(why) from why
        connection.close()
        check(answer)
        raise Away("an answer that cannot be")  # pragma: no cover - check raises for 4xx and 5xx

    def _away(self, why: Exception, *, stale: bool = False) -> Away:
        """Say in words why nobody took a call."""
        if isinstance(why, FileNotFoundError):
            return Away("there is no socket", nobody=True)
        if isinstance(why, ConnectionRefusedError):
            # A socket that was left behind shows that a server was killed and may come back.
            return Away("the connection was refused", nobody=not self.address.socket)
        if isinstance(why, TimeoutError):
            return Away("no answer in time")
        return Away(str(why) or type(why).__name__, stale=stale)


def check(answer: Answer) -> Answer:
    """Return a good answer; raise Refused for a problem, Away when the server is not there."""
    if answer.status < 400:
        return answer
    request = answer.headers.get("x-request-id", "")
    problem = _problem(answer)
    refused = Refused(answer.status, problem, request=request)
    if answer.status in _AWAY and (not refused.type or refused.code.startswith("Edge")):
        raise Away(f"{answer.status} from the edge")
    if answer.status == 503 and "retry-after" in answer.headers and refused.code != _LOCKED:
        raise Away(refused.detail, busy=refused)  # nothing was changed: the server says try again
    raise refused


def _read(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def _exchange(
    connection: HTTPConnection, base: str, call: Call, headers: dict[str, str]
) -> HTTPResponse:
    try:
        _send(connection, base, call, headers)
    except (BrokenPipeError, ConnectionResetError):
        if connection.sock is None:
            raise
        # An answer that came before the whole body was read says why it was not wanted.
        return connection.getresponse()
    return connection.getresponse()


def _send(connection: HTTPConnection, base: str, call: Call, headers: dict[str, str]) -> None:
    if isinstance(call.body, Path):
        with call.body.open("rb") as body:
            connection.request(call.method, base + call.path, body=body, headers=headers)
    else:
        connection.request(call.method, base + call.path, body=call.body, headers=headers)


def _problem(answer: Answer) -> dict[str, Any]:
    if answer.headers.get("content-type", "").partition(";")[0] == PROBLEM:
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
    text = answer.body[:200].decode(errors="replace").strip()
    return {"detail": f"HTTP {answer.status}: {text}" if text else f"HTTP {answer.status}."}
