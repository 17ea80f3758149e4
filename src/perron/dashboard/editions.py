"""Things that two people may change at once: each is read with a tag and changed only as read."""

from dataclasses import dataclass

from perron.client import Client
from perron.client.client import Json

CHANGED = 412


@dataclass(frozen=True)
class Edition:
    """What was read, and the tag that names exactly this."""

    facts: Json
    tag: str


def read(client: Client, path: str) -> Edition:
    """Read something with its tag."""
    answer = client.answer("GET", path)
    return Edition(dict(answer.json()), answer.headers.get("etag", ""))


def change(client: Client, method: str, path: str, body: object, tag: str) -> Json:
    """Change something; refused with 412 when somebody changed it since it was read."""
    headers = {"If-Match": tag} if tag else None
    return dict(client.answer(method, path, body, headers).json() or {})
