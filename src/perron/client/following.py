"""Server-sent events, resumed where they broke off."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from .transport import Call, Transport

QUIET = 30.0  # the server says something every 10 s, if only that it is there


@dataclass(frozen=True)
class Event:
    """One event: its name, its document, and the id to go on from."""

    name: str
    data: Any
    id: str = ""


def follow(transport: Transport, path: str, last: str = "") -> Iterator[Event]:
    """Give events as they come, for as long as the caller listens.

    When the stream ends it is asked for again, from the last id on; nothing comes twice.
    """
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        response = transport.open(Call("GET", path, headers=headers))
        try:
            for event in parse(_pieces(response)):
                last = event.id or last
                yield event
        finally:
            response.close()


def parse(pieces: Iterator[bytes]) -> Iterator[Event]:
    """Turn a stream of bytes into events; comments and unfinished events are left out."""
    buffer = b""
    for piece in pieces:
        buffer += piece.replace(b"\r\n", b"\n")
        *blocks, buffer = buffer.split(b"\n\n")
        for block in blocks:
            if event := _event(block.decode(errors="replace")):
                yield event


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    """Give what has arrived; a connection that broke or went quiet is an end, not an error."""
    plug = getattr(getattr(response.fp, "raw", None), "_sock", None)
    if plug is not None:
        plug.settimeout(QUIET)
    try:
        while piece := response.read1(65_536):
            yield piece
    except (OSError, HTTPException, ValueError):
        return


def _event(block: str) -> Event | None:
    name, id, lines = "message", "", []
    for line in block.split("\n"):
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "id":
            id = value
        elif key == "data":
            lines.append(value)
    return Event(name, _document("\n".join(lines)), id) if lines else None


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
