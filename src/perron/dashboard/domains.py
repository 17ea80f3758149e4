"""How visitors are let in: hosts, maintenance, a password, and the edge's limits."""

from perron.client import Refused, verbs
from perron.client.client import Json

from . import editions
from .asking import Act, Ask, Done, Page, Shown
from .navigation import app_facts, app_url


def show_domains(ask: Ask) -> Shown:
    """Show every host that leads here, and who is let in."""
    facts = app_facts(ask, "Domains")
    routing = editions.read(ask.client, f"{ask.place.path}/routing")
    return Shown("domains.html", facts | {
        "domains": list(verbs.domains(ask.client, ask.place)),
        "routing": routing.facts,
        "megabytes": routing.facts["max_body"] >> 20,
        "meanwhile": _meanwhile(ask, routing.facts),
        "tag": routing.tag,
        "live": not ask.refused,
    })  # fmt: skip


def add(ask: Ask) -> Done:
    """Lead a host name here."""
    wanted: Json = {"host": ask.said("host")}
    pair = ask.said("certificate"), ask.said("private_key")
    if any(pair):
        wanted |= {"certificate": pair[0], "private_key": pair[1]}
    found = verbs.add_domain(ask.client, ask.place, wanted)
    return _done(ask, f"{found['host']} leads here, once its DNS leads to this machine.")


def remove(ask: Ask) -> Done:
    """Lead a host name here no more."""
    verbs.remove_domain(ask.client, ask.place, ask.said("host"))
    return _done(ask, f"{ask.said('host')} leads here no more.")


def maintain(ask: Ask) -> Done:
    """Show visitors the maintenance page, or let them in again."""
    is_on = ask.said("on") == "true"
    _put(ask, "maintenance", {"on": is_on})
    return _done(ask, "Visitors see the maintenance page." if is_on else "Visitors are let in.")


def protect(ask: Ask) -> Done:
    """Ask visitors for a name and a password, or stop asking."""
    if ask.said("off"):
        _put(ask, "protection", {"user": None, "password": None})
        return _done(ask, "Everybody is let in.")
    given = {"user": ask.said("user"), "password": str(ask.form.get("password", ""))}
    _put(ask, "protection", given)
    return _done(ask, f"Visitors are asked for {given['user']}'s password.")


def limit(ask: Ask) -> Done:
    """Change the largest body and the longest silence."""
    wanted = {
        "max_body": _number(ask.said("megabytes"), "The largest body") * (1 << 20),
        "idle_timeout": _number(ask.said("idle_timeout"), "The longest silence"),
        "log_queries": ask.said("log_queries") == "on",
    }
    path = f"{ask.place.path}/routing"
    editions.change(ask.client, "PATCH", path, wanted, ask.said("tag"))
    return _done(ask, "The limits are changed.")


def _put(ask: Ask, what: str, body: Json) -> None:
    editions.change(ask.client, "PUT", f"{ask.place.path}/{what}", body, ask.said("tag"))


def _meanwhile(ask: Ask, now: Json) -> str:
    """Say how things are now, when a form was refused because somebody changed them."""
    if ask.refused is None or ask.refused.status != editions.CHANGED:
        return ""
    who = f"asks for {now['user']}'s password" if now["user"] else "lets everybody in"
    page = "shows the maintenance page" if now["maintenance"] else who
    return (
        f"It {page} now; bodies up to {now['max_body'] >> 20:,} MB, "
        f"silence up to {now['idle_timeout']:g} s. What you typed is still here."
    )


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        detail = f"{what} is a whole number; {text[:20]!r} is none."
        raise Refused(422, {"title": "That cannot be read", "detail": detail})
    return int(text)


def _done(ask: Ask, said: str) -> Done:
    return Done(app_url(ask, "/domains"), said)


ALL = (
    Page("/apps/{app}/domains", show_domains),
    Act("/apps/{app}/domains/add", add, show_domains),
    Act("/apps/{app}/domains/remove", remove, show_domains),
    Act("/apps/{app}/domains/maintenance", maintain, show_domains),
    Act("/apps/{app}/domains/protection", protect, show_domains),
    Act("/apps/{app}/domains/limits", limit, show_domains),
)
