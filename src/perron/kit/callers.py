"""Where a request comes from: the address the edge saw, and what the client calls itself."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL = "local"
LONGEST = 200


@dataclass(frozen=True)
class Caller:
    """Where somebody asked from; ``local`` is this machine's own socket."""

    address: str
    client: str


def caller_of(headers: Mapping[str, str]) -> Caller:
    """Return where a request comes from.

    The edge takes out what a visitor claims and writes the address it saw; who reaches the
    socket without the edge owns this machine's account.
    """
    return Caller(_address(headers.get("x-forwarded-for", "")), _client(headers))


def _address(forwarded: str) -> str:
    last = forwarded.rpartition(",")[2].strip()
    if not last:
        return LOCAL
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return "unknown"


def _client(headers: Mapping[str, str]) -> str:
    told = headers.get("user-agent", "")
    return "".join(each for each in told if each.isascii() and each.isprintable())[:LONGEST]
