"""The instances of an environment: how each is, how many there should be, and starting anew."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from perron.client import verbs
from perron.client.client import Json

from . import editions
from .asking import Act, Ask, Done, Page, Shown
from .navigation import app_facts, app_url

STATES: Mapping[str, tuple[str, str]] = {
    "starting": ("deploying", "Starting"),
    "healthy": ("healthy", "Healthy"),
    "unhealthy": ("degraded", "Unhealthy"),
    "draining": ("deploying", "Finishing its requests"),
    "stopping": ("deploying", "Stopping"),
    "backoff": ("failed", "Fell, starts again"),
    "crashed": ("failed", "Fell"),
}
MOST = 1000


def show_instances(ask: Ask) -> Shown:
    """Show every instance, newest news in place."""
    facts = app_facts(ask, "Instances")
    scale = editions.read(ask.client, f"{ask.place.path}/scale")
    found = [
        with_sign(each, facts["environment"]["deploying"])
        for each in verbs.instances(ask.client, ask.place)
    ]
    return Shown("instances.html", facts | {
        "instances": found,
        "scale": _asked_scale(ask, scale.facts["processes"]),
        "tag": scale.tag,
        "scale_words": " ".join(f"{k}={v}" for k, v in scale.facts["processes"].items()),
        "first": next((each["name"] for each in found), "web.1"),
        "live": True,
    })  # fmt: skip


def scale(ask: Ask) -> Done:
    """Wish for other numbers of instances; refused when they were changed meanwhile."""
    wanted = {name.removeprefix("count."): _count(ask.said(name)) for name in _counts(ask)}
    path = f"{ask.place.path}/scale"
    editions.change(ask.client, "PUT", path, {"processes": wanted}, ask.said("tag"))
    told = ", ".join(f"{count} {name}" for name, count in wanted.items())
    return Done(app_url(ask, "/instances"), f"Asked for {told}.")


def act(ask: Ask, verb: str) -> Done:
    """Restart, stop or start what is live."""
    verbs.act(ask.client, ask.place, verb)
    return Done(app_url(ask, "/instances"), SAID[verb])


SAID = {
    "restart": "Restarting, one instance after the other.",
    "stop": "Stopping. Visitors are told that it was stopped.",
    "start": "Starting at the former scale.",
}


def with_sign(instance: Json, coming: int | None = None) -> dict[str, Any]:
    """Return an instance with the sign and the word for its state, while ``coming`` goes live."""
    sign, word = STATES.get(instance["state"], ("unknown", "Unknown"))
    is_well = instance["state"] == "healthy" and instance["process"] == "web"
    if is_well and not instance["in_rotation"]:
        is_old = coming is not None and instance["release"] < coming
        word = "Finishing its requests" if is_old else "Healthy, no traffic yet"
    return {**instance, "sign": sign, "word": word}


def _asked_scale(ask: Ask, now: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return what the form shows: what was typed, and what is so now where that differs."""
    shown: dict[str, dict[str, Any]] = {}
    for name, count in now.items():
        typed = ask.said(f"count.{name}") if ask.refused else ""
        error = f"It is {count} now." if ask.refused and _is_changed(ask, typed, count) else ""
        shown[name] = {"count": count, "typed": typed or count, "error": error}
    return shown


def _is_changed(ask: Ask, typed: str, count: int) -> bool:
    was = ask.refused is not None and ask.refused.status == editions.CHANGED
    return was and typed != str(count)


def _counts(ask: Ask) -> list[str]:
    return [name for name in ask.form if name.startswith("count.")]


def _count(text: str) -> int | str:
    """Return a number; anything else goes to the platform as it is, which says what is wrong."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text


ALL: tuple[Page | Act, ...] = (
    Page("/apps/{app}/instances", show_instances),
    Act("/apps/{app}/scale", scale, show_instances),
    *(
        Act(f"/apps/{{app}}/instances/{verb}", partial(act, verb=verb), show_instances)
        for verb in SAID
    ),
)
