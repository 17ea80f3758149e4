"""The people of the platform, for administrators: who they are, new passwords, and their leave."""

from urllib.parse import quote

from perron.client import people as verbs
from perron.client.client import Json

from . import editions
from .asking import Act, Ask, Done, Page, Shown
from .navigation import me


def show_people(ask: Ask) -> Shown:
    """Show everybody on the platform."""
    found = list(verbs.people(ask.client))
    return Shown("people.html", {"people": found, "you": me(ask), "live": False})


def show_person(ask: Ask) -> Shown:
    """Show one person, with what an administrator can do for them."""
    edition = editions.read(ask.client, _path(ask))
    return Shown("person.html", {
        "person": edition.facts,
        "tag": edition.tag,
        "is_you": edition.facts["id"] == me(ask)["id"],
        "made": None,
        "live": False,
    })  # fmt: skip


def reset(ask: Ask) -> Shown:
    """Make a link by which they set a new password; it is on the answer alone."""
    made: Json = verbs.reset_password(ask.client, ask.at["person"])
    shown = show_person(ask)
    link = f"{ask.scheme}://{ask.host}{made['path']}"
    return Shown(shown.template, {**shown.facts, "made": {**made, "link": link}})


def set_administrator(ask: Ask) -> Done:
    """Let them do everything on this platform, or no more."""
    is_on = ask.said("on") == "yes"
    change = {"administrator": is_on}
    found = editions.change(ask.client, "PATCH", _path(ask), change, ask.said("tag"))
    if not is_on and found["id"] == me(ask)["id"]:
        return Done("/", "You administer this platform no more.")
    said = "administers the platform from now on" if is_on else "administers the platform no more"
    return Done(f"/people/{quote(found['handle'], safe='')}", f"{found['handle']} {said}.")


def remove(ask: Ask) -> Done:
    """Forget who they are and let them in no more; their name was typed."""
    person = ask.at["person"]
    ask.must_mean(person, "Nothing was changed.")
    verbs.erase_person(ask.client, person)
    return Done("/people", f"{person} is removed; their tokens and sessions ended.")


def _path(ask: Ask) -> str:
    return f"/v1/people/{quote(ask.at['person'], safe='')}"


ALL: tuple[Page | Act, ...] = (
    Page("/people", show_people),
    Page("/people/{person}", show_person),
    Act("/people/{person}/reset", reset, show_person),
    Act("/people/{person}/administrator", set_administrator, show_person),
    Act("/people/{person}/remove", remove, show_person),
)
