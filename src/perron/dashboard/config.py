"""An environment's configuration: masked, changed together, shown in the clear on purpose only."""

from typing import Any

from perron.client import Refused, dotenv, verbs
from perron.client.client import Json

from . import editions, words
from .asking import Act, Ask, Done, Page, Shown
from .navigation import app_facts, app_url


def show_config(ask: Ask) -> Shown:
    """Show every key; ``?key=`` opens one to be changed."""
    facts = app_facts(ask, "Config")
    edition = editions.read(ask.client, f"{ask.place.path}/config")
    entries = edition.facts["entries"]
    name = ask.query.get("key", "")
    return Shown("config.html", facts | {
        "entries": entries,
        "key": next((each for each in entries if each["name"] == name), None),
        "tag": edition.tag,
        "drawn": ask.clock.now.isoformat(),
        "meanwhile": _meanwhile(ask, entries),
        "revealed": None,
        "next_release": _next(ask, facts["environment"]),
        "live": not ask.refused,
    })  # fmt: skip


def set_key(ask: Ask) -> Done:
    """Set one key."""
    name = ask.said("name")
    if not name:
        raise _mistyped("Say the name of the key.", "name")
    value = str(ask.form.get("value", "")).replace("\r\n", "\n")
    flags = {"secret": ask.said("secret") == "on", "build": ask.said("build") == "on"}
    return _change(ask, {"set": {name: {"value": value, **flags}}}, f"{name} is set")


def import_keys(ask: Ask) -> Done:
    """Set every key of a ``.env`` file."""
    try:
        found = dotenv.parse(str(ask.form.get("lines", "")))
    except dotenv.DotenvRefused as why:
        raise _mistyped(str(why), "lines") from None
    if not found:
        raise _mistyped("There is no KEY=VALUE in it.", "lines")
    secret = ask.said("secret") == "on"
    wanted = {name: {"value": value, "secret": secret} for name, value in found.items()}
    return _change(ask, {"set": wanted}, f"{words.some(len(found), 'key')} set")


def unset_key(ask: Ask) -> Done:
    """Unset one key."""
    return _change(ask, {"unset": [ask.said("name")]}, f"{ask.said('name')} is unset")


def reveal(ask: Ask) -> Shown:
    """Show one value in the clear; the platform writes down who asked."""
    value = verbs.reveal(ask.client, ask.place, ask.query.get("key", ""))["value"]
    shown = show_config(ask)
    return Shown(shown.template, {**shown.facts, "revealed": value, "live": False})


def _change(ask: Ask, change: Json, said: str) -> Done:
    path = f"{ask.place.path}/config"
    answer = editions.change(ask.client, "PATCH", path, change, ask.said("tag"))
    number = answer.get("release")
    follows = f"; release {number} goes live with it." if number else "."
    return Done(app_url(ask, "/config"), said + follows)


def _meanwhile(ask: Ask, entries: list[Json]) -> list[Json]:
    """Return what others changed since the form was drawn, when it was refused for that."""
    if ask.refused is None or ask.refused.status != editions.CHANGED:
        return []
    try:
        since = words.moment(ask.said("seen"))
        return [each for each in entries if words.moment(each["changed"]) > since]
    except (ValueError, TypeError):
        return []


def _next(ask: Ask, environment: Json) -> int | None:
    """Say which release a change makes; None when nothing is live to be released again."""
    if environment["release"] is None:
        return None
    page = ask.client.get(f"{ask.place.path}/releases", {"limit": 1})
    return int(page["items"][0]["number"]) + 1


def _mistyped(detail: str, field: str) -> Refused:
    problem: dict[str, Any] = {"title": "That cannot be read", "detail": detail, "field": field}
    return Refused(422, problem)


ALL = (
    Page("/apps/{app}/config", show_config),
    Act("/apps/{app}/config/set", set_key, show_config),
    Act("/apps/{app}/config/import", import_keys, show_config),
    Act("/apps/{app}/config/unset", unset_key, show_config),
    Act("/apps/{app}/config/reveal", reveal, show_config),
)
