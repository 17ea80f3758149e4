"""``perron env``: environments of an app."""

import click

from perron.client import Place, verbs

from . import apps, asking, options, places, tables, voice, waiting
from .command import group
from .platform import platform


@group(default="list")
def env() -> None:
    """List, create and destroy environments."""


@env.command("list", examples="perron env -a shop")
@options.in_app
@options.shaped
def list_environments(app: str | None, shape: str) -> None:
    """List the environments of an app."""
    with platform(as_json=shape == "json") as client:
        found = verbs.app(client, places.app_of(client, app))
    rows = [row[1:] for row in apps.rows_of(found)]
    tables.listing(found["environments"], apps.COLUMNS[1:], rows, shape=shape)


@env.command("create", examples="perron env create staging")
@click.argument("name")
@options.in_app
@options.as_json
def create(name: str, app: str | None, as_json: bool) -> None:
    """Create environment NAME, with config, scale, volumes and URL of its own."""
    with platform(as_json=as_json) as client:
        place = places.place(client, app, name)
        found = verbs.create_environment(client, place)
    if as_json:
        tables.document(found)
    else:
        voice.say(f"{name} of {place.app} is there.")
        voice.say(f"Next   perron deploy --app {place.app} --env {name}")


@env.command("info", examples="perron env info staging")
@click.argument("name", default="production")
@options.in_app
@options.as_json
def info(name: str, app: str | None, as_json: bool) -> None:
    """Show environment NAME."""
    with platform(as_json=as_json) as client:
        place = places.place(client, app, name)
        found = verbs.environment(client, place)
    if as_json:
        tables.document(found)
        return
    rows = apps.rows_of({"name": place.app, "environments": [found]})
    tables.show(apps.COLUMNS[1:], [row[1:] for row in rows])
    voice.data(f"Hosts: {', '.join(found['hosts'])}")
    if found.get("needs"):
        voice.say(found["needs"])


@env.command("destroy", examples="perron env destroy staging --yes staging")
@click.argument("name")
@options.in_app
@click.option("-y", "--yes", "said", metavar="NAME", help="The environment's name, said again.")
@options.detached
@options.as_json
def destroy(name: str, app: str | None, said: str | None, detach: bool, as_json: bool) -> None:
    """Destroy environment NAME with everything it has."""
    with platform(as_json=as_json) as client:
        place = Place(places.app_of(client, app), name)
        verbs.environment(client, place)
        asking.confirm_name(name, said, what="environment")
        answer = verbs.destroy_environment(client, place)
        done = f"{name} of {place.app} is destroyed."
        waiting.finish(client, place, answer, done, detach=detach, as_json=as_json)
