"""What the palette finds: apps, pages and actions that fit what was typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from perron.client.client import Json

from . import navigation
from .asking import PRODUCTION, Ask, Page, Shown, with_query

MOST = 12
ACTS = (
    ("Deploy {}", "#deploy"),
    ("Roll {} back", "/releases#rollback"),
    ("Restart {}", "/instances#restart"),
    ("Stop {}", "/instances#stop"),
)


@dataclass(frozen=True)
class Found:
    """One thing to go to, or to do."""

    text: str
    kind: str
    href: str
    state: str = ""


def find(ask: Ask) -> Shown:
    """Show what fits, the best first."""
    words = ask.query.get("q", "").strip().lower()[:100]
    here = urlsplit(ask.query.get("at", "/"))
    app = here.path.split("/")[2] if here.path.startswith("/apps/") else ""
    env = parse_qs(here.query).get("env", [PRODUCTION])[0]
    apps = ask.client.get("/v1/overview", {"match": words.split(" ")[0], "limit": 8})["items"]
    found = [
        *(_of_page(app, env) if app else ()),
        *_of_apps(apps),
        *(_acts(app, env) if app else ()),
        *_of_rail(ask),
        *(page for each in apps[:3] if each["name"] != app for page in _of_page(each["name"], "")),
    ]
    fits = [each for each in found if _fits(words, each)]
    fits.sort(key=lambda each: not each.text.lower().startswith(words))
    return Shown("found.html", {"found": fits[:MOST], "words": words})


def _of_apps(apps: list[Json]) -> Iterator[Found]:
    for app in apps:
        state = app["environments"][0]["state"] if app["environments"] else ""
        yield Found(app["name"], "App", f"/apps/{app['name']}", state)


def _of_page(app: str, env: str) -> Iterator[Found]:
    """Give the pages of an app."""
    for name, rest in navigation.TABS[1:]:
        yield Found(f"{name} of {app}", "Page", with_query(f"/apps/{app}{rest}", env=env))


def _acts(app: str, env: str) -> Iterator[Found]:
    """Give what can be done to the app one is looking at; each opens the dialog that asks first."""
    for text, rest in ACTS:
        where, _, dialog = rest.partition("#")
        href = with_query(f"/apps/{app}{where}", env=env)
        yield Found(text.format(app), "Action", f"{href}#{dialog}")


def _of_rail(ask: Ask) -> Iterator[Found]:
    for title, links in navigation.around(ask, Shown("")).rail:
        for link in links:
            yield Found(link.name, title, link.href)
    yield Found("New app", "Action", "/#new-app")


def _fits(words: str, found: Found) -> bool:
    text = found.text.lower()
    return all(word in text for word in words.split())


ALL = (Page("/find", find),)
