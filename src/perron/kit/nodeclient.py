"""How the server speaks with the agent of this machine: HTTP over its unix socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel

from perron.contract.node import HEADER, VERSION, is_understood, version_told, why_not

from .problems import Problem

TIMEOUT = 30.0
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)  # followers are many
# No certificate is looked at on a socket of this machine, so no file of authorities is read either.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
SPOKEN = {HEADER: str(VERSION)}  # every message says which version it has
Query = Mapping[str, str | int | float | None]


class AgentAway(Problem):
    """The agent does not answer; what it runs keeps running."""

    status = 503


class AgentRefused(Problem):
    """The agent answered with a problem; ``status`` is the agent's."""

    def __init__(self, status: int, detail: str, title: str = "", **facts: object) -> None:
        super().__init__(detail, **facts)
        self.status = status
        self.title = title


class NodeClient:
    """One agent, asked from threads or from coroutines over connections that stay open.

    Every method raises AgentAway when nobody answers, and AgentRefused when the agent says no or
    is more than one version apart. ``wait`` in a query is a long poll: the time-out grows by it.
    ``speaks`` is the version of the agent's last answer; None before there was one.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)
        self.speaks: int | None = None
        transport = httpx.HTTPTransport(uds=self._socket, limits=LIMITS, verify=NO_AUTHORITIES)
        self._client = httpx.Client(
            transport=transport, base_url="http://agent", timeout=TIMEOUT, headers=SPOKEN
        )
        self._async: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    def request(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | bytes | Iterator[bytes] | None = None,
        query: Query | None = None,
    ) -> Any:
        """Ask, and return the answer's JSON; None when it has no content."""
        with self.stream(method, path, body=body, query=query) as answer:
            answer.read()
            return answer.json() if answer.content else None

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return what is at ``path``."""
        return self.request("GET", path, query=query)

    def put(self, path: str, body: BaseModel | None = None, query: Query | None = None) -> Any:
        """Ask for ``body`` to be at ``path``; asking twice is asking once."""
        return self.request("PUT", path, body=body, query=query)

    def delete(self, path: str, query: Query | None = None) -> Any:
        """Ask for what is at ``path`` to end."""
        return self.request("DELETE", path, query=query)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | bytes | Iterator[bytes] | None = None,
        query: Query | None = None,
    ) -> Iterator[httpx.Response]:
        """Ask, and give the answer while it still arrives; for files of any size."""
        asked = self._client.build_request(method, path, **_parts(body, query))
        with _told():
            answer = self._client.send(asked, stream=True)
            try:
                if answer.is_error:
                    answer.read()
                self._check(answer)
                yield answer
            finally:
                answer.close()

    async def get_async(self, path: str, query: Query | None = None) -> Any:
        """Return what is at ``path``, holding no thread while the agent thinks."""
        with _told():
            answer = await self._in_this_loop().get(path, **_parts(None, query))
            self._check(answer)
            return answer.json()

    @asynccontextmanager
    async def stream_async(
        self,
        method: str,
        path: str,
        *,
        body: AsyncIterator[bytes] | bytes | None = None,
        query: Query | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Ask, and give the answer while it still arrives, holding no thread."""
        client = self._in_this_loop()
        asked = client.build_request(method, path, **_parts(body, query))
        with _told():
            answer = await client.send(asked, stream=True)
            try:
                if answer.is_error:
                    await answer.aread()
                self._check(answer)
                yield answer
            finally:
                await answer.aclose()

    def close(self) -> None:
        """Let the connections of threads go; those of a loop end with it."""
        self._client.close()

    def _check(self, answer: httpx.Response) -> None:
        """Raise AgentRefused for a no, and for an answer that may not mean what we read in it."""
        self.speaks = version_told(answer.headers.get(HEADER))
        if answer.is_error:
            raise _refusal(answer)
        if not is_understood(self.speaks):
            raise AgentRefused(409, why_not(VERSION, self.speaks), "OtherVersion")

    def _in_this_loop(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._async is None or self._async[0] is not loop:
            transport = httpx.AsyncHTTPTransport(
                uds=self._socket, limits=LIMITS, verify=NO_AUTHORITIES
            )
            client = httpx.AsyncClient(
                transport=transport, base_url="http://agent", timeout=TIMEOUT, headers=SPOKEN
            )
            self._async = (loop, client)
        return self._async[1]


def _parts(body: object, query: Query | None) -> dict[str, Any]:
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    parts: dict[str, Any] = {"params": asked}
    if wait := asked.get("wait"):
        parts["timeout"] = TIMEOUT + float(wait)
    if isinstance(body, BaseModel):
        parts["content"] = body.model_dump_json()
        parts["headers"] = {"content-type": "application/json"}
    elif body is not None:
        parts["content"] = body
    return parts


@contextmanager
def _told() -> Iterator[None]:
    """Turn what goes wrong on the way into words."""
    try:
        yield
    except httpx.TransportError as why:
        raise AgentAway(
            "The agent does not answer; what it runs keeps running. "
            "It is started again within seconds; if not: perron up."
        ) from why


def _refusal(answer: httpx.Response) -> AgentRefused:
    try:
        told = answer.json()
        detail, title = str(told["detail"]), str(told.get("title", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, title = f"The agent answered {answer.status_code}.", ""
    return AgentRefused(answer.status_code, detail, title)
