"""How ``perron login`` is let in: a person with a browser compares a code and approves."""

import socket
import time
import webbrowser
from typing import Any

from perron.client import Client, Refused, people

from . import voice, words
from .exits import LEFT, NOT_ALLOWED, Stop


def let_in(client: Client, *, only_link: bool) -> tuple[str, str]:
    """Return a token and its id once somebody has approved."""
    if client.address.socket:
        raise Stop("A browser needs a URL: perron login http://…", NOT_ALLOWED)
    asked = people.ask_in(client, socket.gethostname())
    url = client.address.url + asked["path"]
    voice.say(f"Open   {url}")
    voice.say(f"Code   {asked['code']}   (the page shows the same one)")
    if not only_link and voice.is_person():
        webbrowser.open(url)
    try:
        return _wait(client, asked)
    except KeyboardInterrupt:
        raise Stop("Left; nobody is signed in.", LEFT) from None


def _wait(client: Client, asked: dict[str, Any]) -> tuple[str, str]:
    """Ask every second or so, until it is approved, refused or too late."""
    end = words.moment(asked["expires"])
    while end is None or words.now() < end:
        try:
            found = people.collect(client, asked["code"], asked["secret"])
        except Refused as why:
            if why.status != 404:
                raise
            break
        if found["state"] == "approved":
            return str(found["token"]), str(found["token_id"])
        time.sleep(float(asked["interval"]))
    raise Stop("Nobody approved it; nothing was changed.", NOT_ALLOWED, next="perron login")
