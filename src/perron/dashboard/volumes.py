"""The volumes of an environment: folders that outlive releases, with copies and downloads."""

from datetime import UTC, datetime
from urllib.parse import quote

from perron.client import Refused, verbs
from perron.client.client import Json

from . import words
from .asking import Act, Ask, Done, Page, Shown
from .navigation import app_facts, app_url


def show_volumes(ask: Ask) -> Shown:
    """Show every volume, how full it is, and its copies."""
    facts = app_facts(ask, "Volumes")
    found = [_drawn(ask, each) for each in verbs.volumes(ask.client, ask.place)]
    return Shown("volumes.html", facts | {"volumes": found, "live": not ask.refused})


def create(ask: Ask) -> Done:
    """Create a volume."""
    size = words.bytes_in(ask.said("size"))
    if size is None:
        detail = f"{ask.said('size')[:20]!r} is no size: write 512M or 2G."
        raise Refused(422, {"title": "That cannot be read", "detail": detail})
    wanted = {"name": ask.said("name"), "mount": ask.said("mount"), "size": size}
    made = verbs.create_volume(ask.client, ask.place, wanted)
    said = f"{made['name']} is there; the next release or restart sees it at {made['mount']}."
    return Done(app_url(ask, "/volumes"), said)


def snapshot(ask: Ask) -> Done:
    """Keep a copy of a volume as it is now."""
    name = ask.said("name")
    ask.client.send("POST", f"{verbs.volume_path(ask.place, name)}/snapshots")
    return Done(app_url(ask, "/volumes"), f"A copy of {name} is kept.")


def destroy(ask: Ask) -> Done:
    """Destroy a volume with its files and copies; its name was typed."""
    name = ask.said("name")
    path = verbs.volume_path(ask.place, name)
    ask.client.send("DELETE", path, query={"confirm": ask.said("confirm")})
    return Done(app_url(ask, "/volumes"), f"{name} is destroyed.")


def _drawn(ask: Ask, volume: Json) -> Json:
    used = volume["used"]
    share = None if used is None or not volume["size"] else min(100.0, 100 * used / volume["size"])
    return {
        **volume,
        "share": share,
        "copies": sorted((_taken(each) for each in volume["snapshots"]), reverse=True),
        "files": f"{ask.place.path}/volumes/{quote(volume['name'], safe='')}/files",
    }


def _taken(copy: str) -> datetime:
    """Return when a copy was taken: it is named by that, as 20261121T155730Z."""
    return datetime.strptime(copy[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


ALL = (
    Page("/apps/{app}/volumes", show_volumes),
    Act("/apps/{app}/volumes/create", create, show_volumes),
    Act("/apps/{app}/volumes/snapshot", snapshot, show_volumes),
    Act("/apps/{app}/volumes/destroy", destroy, show_volumes),
)
