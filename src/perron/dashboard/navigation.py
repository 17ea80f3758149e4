"""What surrounds every page: who is signed in, the rail, and the tabs of an app."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from perron.client import Fault, verbs
from perron.client.client import Json

from .asking import PRODUCTION, Ask, Shown, with_query


@dataclass(frozen=True)
class Link:
    """One place to go: ``is_rest`` is behind *More* on a phone."""

    name: str
    href: str
    is_current: bool = False
    count: str = ""
    is_rest: bool = False


@dataclass(frozen=True)
class Around:
    """The shell of a page; ``me`` is None when nobody is signed in or the platform is away."""

    me: Json | None
    platform: Json | None
    rail: tuple[tuple[str, tuple[Link, ...]], ...]

    @property
    def rest(self) -> Iterator[Link]:
        """What a phone shows behind *More*."""
        return (link for _, links in self.rail for link in links if link.is_rest)


RAIL: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Run", (("Apps", "/"),)),
    ("Team", (("Teams", "/teams"), ("People", "/people"), ("Audit", "/audit"))),
    ("Machine", (("Platform", "/platform"),)),
)
FOR_ADMINISTRATORS = ("/people",)
TABS: tuple[tuple[str, str], ...] = (
    ("Overview", ""),
    ("Releases", "/releases"),
    ("Instances", "/instances"),
    ("Logs", "/logs"),
    ("Config", "/config"),
    ("Domains", "/domains"),
    ("Volumes", "/volumes"),
    ("Schedules", "/schedules"),
    ("Activity", "/activity"),
)

_platforms: dict[str, tuple[float, Json]] = {}


def around(ask: Ask, shown: Shown) -> Around:
    """Return the shell; what cannot be asked just now is left out."""
    if not ask.session.secret or shown.template.startswith("gate"):
        return Around(None, None, ())
    try:
        return Around(me(ask), _platform(ask), tuple(_rail(ask)))
    except Fault:
        return Around(None, None, tuple(_rail(ask)))


def _platform(ask: Ask) -> Json:
    """Return how the platform is, at most a second old: it is the same for everybody."""
    now = time.monotonic()
    known = _platforms.get(ask.client.address.url)
    if known is None or now - known[0] > 1.0:
        known = _platforms[ask.client.address.url] = (now, verbs.platform(ask.client))
    return known[1]


def me(ask: Ask) -> Json:
    """Return who is signed in; asked once for each page."""
    if "me" not in ask.memo:
        ask.memo["me"] = verbs.me(ask.client)
    found: Json = ask.memo["me"]
    return found


def app_facts(ask: Ask, tab: str) -> dict[str, Any]:
    """Return what every page of an app needs: the app, its environment, its tabs."""
    app = verbs.app(ask.client, ask.app)
    environment = next(
        (each for each in app["environments"] if each["name"] == ask.environment),
        None,
    ) or verbs.environment(ask.client, ask.place)  # refused by name when there is none
    flag = "" if environment["name"] == PRODUCTION else f" -e {environment['name']}"
    tabs = tuple(_tabs(ask, tab))
    return {"app": app, "environment": environment, "tabs": tabs, "env_flag": flag}


def app_url(ask: Ask, rest: str = "", **query: str | None) -> str:
    """Return the address of a page of the app in the environment that is looked at."""
    return with_query(f"/apps/{quote(ask.app, safe='')}{rest}", env=ask.environment, **query)


def _rail(ask: Ask) -> Iterator[tuple[str, tuple[Link, ...]]]:
    is_administrator = _is_administrator(ask)
    for title, links in RAIL:
        yield (
            title,
            tuple(
                Link(name, href, _is_in(ask.path, href), is_rest=title != "Run")
                for name, href in links
                if is_administrator or href not in FOR_ADMINISTRATORS
            ),
        )


def _is_administrator(ask: Ask) -> bool:
    """Say whether who is signed in administers the platform; not, when nobody can say."""
    try:
        return bool(me(ask)["administrator"])
    except Fault:
        return False


def _tabs(ask: Ask, tab: str) -> Iterator[Link]:
    for name, rest in TABS:
        yield Link(name, app_url(ask, rest), name == tab)


def _is_in(path: str, href: str) -> bool:
    if href == "/":
        return path == "/" or path.startswith("/apps")
    return path == href or path.startswith(href + "/")
