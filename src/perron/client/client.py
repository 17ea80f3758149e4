"""One platform, and the calls every noun is made of."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from . import addresses, following
from .contexts import Login
from .following import Event
from .patience import GONE, NOBODY
from .transport import Answer, Call, Transport

Json = dict[str, Any]
Query = Mapping[str, object]


@dataclass(frozen=True)
class Place:
    """An environment of an app, by name or id."""

    app: str
    environment: str = "production"

    @property
    def path(self) -> str:
        """Its address in the API."""
        return f"{app_path(self.app)}/environments/{quote(self.environment, safe='')}"


class Client:
    """Talks to one platform; every call raises Refused or Unreachable when it fails."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        authorities: str = "",
        headers: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda _text: None,
        gone: float = GONE,
        nobody: float = NOBODY,
    ) -> None:
        """Speak to ``url``; ``headers`` are sent with every call."""
        self.address = addresses.parse(url)
        self.transport = Transport(
            self.address,
            token,
            authorities=authorities,
            headers=headers,
            tell=tell,
            gone=gone,
            nobody=nobody,
        )

    @classmethod
    def signed_in(cls, login: Login, tell: Callable[[str], None]) -> "Client":
        """Return a client for a login that was found."""
        return cls(login.url, login.token, authorities=login.authorities, tell=tell)

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return a document."""
        return self.transport.ask(Call("GET", path + _query(query))).json()

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Change something and return what came of it."""
        return self.answer(method, path + _query(query), body, headers).json()

    def answer(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send any request; ``body`` is a document, the path of a file, or None."""
        if body is not None and not isinstance(body, Path):
            body = json.dumps(body).encode()
        return self.transport.ask(Call(method, path, body, dict(headers or {})))

    def pages(self, path: str, query: Query | None = None) -> Iterator[Json]:
        """Give every item of a list, however many pages it has."""
        asked = dict(query or {})
        while True:
            page = self.get(path, asked)
            if isinstance(page, list):
                yield from page
                return
            yield from page["items"]
            if not page.get("next"):
                return
            asked["after"] = page["next"]

    def follow(self, path: str, query: Query | None = None, *, last: str = "") -> Iterator[Event]:
        """Give a stream's events as they come."""
        return following.follow(self.transport, path + _query(query), last)

    def download(self, path: str) -> HTTPResponse:
        """Return an answer to be read piece by piece."""
        return self.transport.open(Call("GET", path, headers={"Accept": "*/*"}))

    def close(self) -> None:
        """Let go of the connection."""
        self.transport.close()


def app_path(app: str) -> str:
    """Return the address of an app."""
    return f"/v1/apps/{quote(app, safe='')}"


def _query(query: Query | None) -> str:
    given = {key: value for key, value in (query or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
