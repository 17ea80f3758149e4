"""How a command reaches the platform, and how the platform's refusals are told."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import exits, voice
from .exits import NOT_ALLOWED, UNREACHABLE, Stop

if TYPE_CHECKING:
    from perron.client import Client, Refused


@contextmanager
def platform(*, as_json: bool = False) -> Iterator["Client"]:
    """Give a client that is signed in; what goes wrong becomes a sentence and an exit code."""
    from perron.client import (
        AddressRefused,
        Client,
        ContextRefused,
        Refused,
        Unreachable,
        find_login,
    )

    try:
        tell = (lambda _text: None) if voice.meta("quiet") else voice.say
        client = Client.signed_in(find_login(os.environ), tell)
    except ContextRefused as why:
        raise Stop(
            str(why), NOT_ALLOWED, next="perron up (here), or perron login URL (elsewhere)"
        ) from why
    except AddressRefused as why:
        raise Stop(str(why), exits.MISTYPED) from why
    try:
        yield client
    except Refused as why:
        raise told(why, client, as_json=as_json) from why
    except Unreachable as why:
        here = "perron up" if client.address.socket else "perron contexts"
        raise Stop(str(why), UNREACHABLE, next=here) from why
    finally:
        client.close()


def told(why: "Refused", client: "Client", *, as_json: bool = False) -> Stop:
    """Turn a problem into words for a person, or leave it whole for a machine."""
    code = exits.of_status(why.status)
    if as_json:
        return Stop(json.dumps(why.problem, ensure_ascii=False), code)
    if why.status == 401:
        text = f"Not signed in to {client.address.name}: {why.detail}"
        return Stop(text, NOT_ALLOWED, next="perron login")
    lines = [why.detail, *_fields(why)]
    if near := _near(why, client):
        lines[0] += f" {near}"
    if voice.meta("verbose"):
        lines.append(f"type {why.type or '-'}, request {why.request or '-'}")
    return Stop("\n".join(lines), code)


def _fields(why: "Refused") -> list[str]:
    """Return one line for each field that was not accepted."""
    fields = why.facts.get("fields")
    if not isinstance(fields, list) or len(fields) < 2:
        return []  # one alone is told by the sentence
    return [f"  {each['field']}: {each['problem']}" for each in fields if isinstance(each, dict)]


def _near(why: "Refused", client: "Client") -> str:
    """Name the app that was probably meant."""
    from perron.client import Fault, verbs

    from .index import nearest

    name = why.facts.get("app")
    if why.code != "AppNotFound" or not isinstance(name, str):
        return ""
    try:
        near = nearest(name, [str(each["name"]) for each in verbs.apps(client)])
    except Fault:
        return ""
    return f"Did you mean {near}?" if near else ""
