"""``perron apps`` and ``perron open``."""

import webbrowser
from typing import Any

import click

from perron.client import Client, Place, verbs

from . import asking, completing, limits, options, places, tables, voice, waiting, words
from .command import command, group
from .dashboard import open_dashboard
from .platform import platform
from .tables import Column

COLUMNS = (
    Column("APP"),
    Column("ENVIRONMENT"),
    Column("STATE"),
    Column("RELEASE", figure=True),
    Column("INSTANCES", figure=True, low=True),
    Column("LAST DEPLOY", low=True),
    Column("URL"),
)


@group(default="list")
def apps() -> None:
    """List, create, rename and destroy apps."""


@apps.command("list", examples="perron apps\nperron apps --json")
@options.shaped
def list_apps(shape: str) -> None:
    """List every app with its environments."""
    with platform(as_json=shape == "json") as client:
        found = list(verbs.apps(client))
    rows = [row for app in found for row in rows_of(app)]
    tables.listing(found, COLUMNS, rows, shape=shape)
    if shape == "table":
        _say_needs(found)


@apps.command("create", examples="perron apps create shop")
@click.argument("name")
@click.option("--team", metavar="NAME", help="Whose it is, when you are in several teams.")
@options.as_json
def create(name: str, team: str | None, as_json: bool) -> None:
    """Create app NAME; harmless when it exists."""
    with platform(as_json=as_json) as client:
        app = verbs.create_app(client, name, team)
    if as_json:
        tables.document(app)
    else:
        voice.say(f"{app['name']} is there.")
        voice.say(f"Next   perron deploy --app {app['name']}")


@apps.command("info", examples="perron apps info shop")
@click.argument("name", required=False, shell_complete=completing.apps)
@options.in_app
@options.as_json
def info(name: str | None, app: str | None, as_json: bool) -> None:
    """Show app NAME and its environments."""
    with platform(as_json=as_json) as client:
        found = verbs.app(client, places.app_of(client, name or app))
        bounds = [] if as_json else _bounds(client, found)
    if as_json:
        tables.document(found)
        return
    voice.data(f"{found['name']}  {found['id']}  created {words.when(found.get('created'))}")
    tables.show(COLUMNS[1:], [row[1:] for row in rows_of(found)])
    for line in bounds:
        voice.say(line)


def _bounds(client: Client, app: dict[str, Any]) -> list[str]:
    """Say of every environment what bounds its process types."""
    return [
        line
        for each in app["environments"]
        for line in limits.lines(
            verbs.instances(client, Place(app["name"], each["name"])),
            before=f"Limits in {each['name']} of ",
        )
    ]


@apps.command("rename", examples="perron apps rename shop store")
@click.argument("name", shell_complete=completing.apps)
@click.argument("to")
@options.as_json
def rename(name: str, to: str, as_json: bool) -> None:
    """Give app NAME the name TO; its hosts follow."""
    with platform(as_json=as_json) as client:
        app = verbs.rename_app(client, name, to)
    if as_json:
        tables.document(app)
    else:
        voice.say(f"{name} is called {app['name']} now.")


@apps.command("destroy", examples="perron apps destroy shop --yes shop")
@click.argument("name", shell_complete=completing.apps)
@click.option("-y", "--yes", "said", metavar="NAME", help="The app's name, said again.")
@options.detached
@options.as_json
def destroy(name: str, said: str | None, detach: bool, as_json: bool) -> None:
    """Destroy app NAME: processes, files, volumes, routes and secrets."""
    with platform(as_json=as_json) as client:
        verbs.app(client, name)
        asking.confirm_name(name, said, what="app")
        answer = verbs.destroy_app(client, name)
        done = f"{name} is destroyed."
        waiting.finish(client, Place(name), answer, done, detach=detach, as_json=as_json)


@command("open", examples="perron open\nperron open -e staging")
@options.in_place
@click.option("--url", "only_url", is_flag=True, help="Print the URL; open nothing.")
@click.option("--dashboard", is_flag=True, help="The platform's pages, signed in as you.")
def open_(app: str | None, environment: str, only_url: bool, dashboard: bool) -> None:
    """Open the app in a browser, and print its URL."""
    if dashboard:
        return open_dashboard(only_url=only_url)
    with platform() as client:
        url = _url(client, places.place(client, app, environment))
    voice.data(url)
    if not only_url and voice.is_person() and not webbrowser.open(url):
        voice.say("No browser was found here.")
    return None


def rows_of(app: dict[str, Any]) -> list[list[tables.Cell]]:
    """Return a row for each environment of an app."""
    return [[app["name"], *_environment(each)] for each in app["environments"]]


def _environment(environment: dict[str, Any]) -> list[tables.Cell]:
    release = environment.get("release") or {}
    healthy = environment.get("healthy")
    state = str(environment["state"])
    named = f"Deploying {environment['deploying']}" if environment.get("deploying") else ""
    by = release.get("by_name") or release.get("by") or ""
    deployed = f"{words.when(release.get('live') or release.get('asked'))} {by}".rstrip()
    return [
        environment["name"],
        tables.of_state(state, named),
        release.get("number"),
        f"{'?' if healthy is None else healthy} of {environment['instances']}",
        deployed if release else None,
        environment["url"],
    ]


def _say_needs(apps: list[dict[str, Any]]) -> None:
    if not apps:
        voice.say("No apps yet.\nNext   perron deploy DIR")
        return
    ill = [
        (app["name"], each["name"])
        for app in apps
        for each in app["environments"]
        if each["state"] in ("failed", "degraded")
    ]
    if ill:
        name, environment = ill[0]
        where = "" if environment == "production" else f" -e {environment}"
        count = "1 needs you" if len(ill) == 1 else f"{len(ill)} need you"
        voice.say(f"{count}. Next: perron logs -a {name}{where} --since 10m")


def _url(client: Client, place: Place) -> str:
    return str(verbs.environment(client, place)["url"])
