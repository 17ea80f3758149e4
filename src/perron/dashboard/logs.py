"""An environment's logs: the newest lines, filtered, older ones behind a link, new ones live."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from perron.client import Refused, verbs
from perron.client.client import Json
from perron.contract.logs import SOURCES

from . import lines
from .asking import Ask, Page, Shown
from .navigation import app_facts, app_url
from .words import moment

SHOWN = 500
LOOKED_AT = 5_000  # lines among which those of a level are looked for
SINCE = {"10m": timedelta(minutes=10), "1h": timedelta(hours=1), "24h": timedelta(days=1),
         "7d": timedelta(days=7)}  # fmt: skip
FILTERS = ("process", "instance", "release", "source", "text", "level", "since")
PASSED = ("process", "instance", "release", "source", "text")


def show_logs(ask: Ask) -> Shown:
    """Show the newest lines that were asked for, or those before a line."""
    wanted = {name: ask.query.get(name, "").strip() for name in FILTERS}
    facts = app_facts(ask, "Logs") | {"wanted": wanted, "before": ask.query.get("before", "")}
    facts |= {"problem": "", "sources": SOURCES, "levels": lines, "follow": _follow(ask, wanted)}
    try:
        facts |= _read(ask, wanted)
    except Refused as refused:
        if refused.status not in (422, 503):
            raise
        facts |= {"lines": [], "hidden": 0, "older": "", "next": "", "problem": refused.detail}
    return Shown("logs.html", facts | _choices(ask, wanted) | {"command": _command(ask, wanted)})


def _read(ask: Ask, wanted: dict[str, str]) -> Json:
    query = {name: wanted[name] or None for name in PASSED}
    limit = LOOKED_AT if wanted["level"] else SHOWN
    before = ask.query.get("before") or None
    page = verbs.logs(ask.client, ask.place, {**query, "before": before, "limit": limit})
    found, is_older_there = _since(page["lines"], wanted["since"], ask.clock.now)
    is_older_there &= len(page["lines"]) == limit
    fit = [each for each in found if not wanted["level"] or _is_level(each, wanted["level"])]
    shown = fit[-SHOWN:]
    first = shown[0]["cursor"] if len(fit) > SHOWN else found[0]["cursor"] if found else ""
    is_more = is_older_there or len(fit) > SHOWN
    return {
        "lines": [_drawn(each, wanted["text"]) for each in shown],
        "hidden": len(found) - len(fit),
        "older": _address(ask, wanted, first) if is_more and first else "",
        "next": page["next"],
    }


def _since(found: Sequence[Json], since: str, now: datetime) -> tuple[list[Json], bool]:
    """Return the lines not older than asked for, and whether all of them were."""
    if since not in SINCE:
        return list(found), True
    young = [each for each in found if moment(each["time"]) >= now - SINCE[since]]
    return young, len(young) == len(found)


def _is_level(line: Json, level: str) -> bool:
    found = lines.level(line)
    return found == level or (level == "warn" and found == "error")


def _drawn(line: Json, searched: str) -> Json:
    return {
        **line,
        "level": lines.level(line),
        "from": lines.speaker(line),
        "pieces": list(lines.pieces(line["text"], searched)),
    }


def _choices(ask: Ask, wanted: dict[str, str]) -> Json:
    """Return what the selects offer: what runs, and what was chosen although it does not."""
    running = list(verbs.instances(ask.client, ask.place))
    scale = verbs.scale(ask.client, ask.place)["processes"]
    releases = [each["number"] for each in _newest_releases(ask)]
    processes = sorted({*scale, *(each["process"] for each in running)})
    return {
        "processes": _with(processes, wanted["process"]),
        "instances": _with([each["name"] for each in running], wanted["instance"]),
        "releases": _with([str(each) for each in releases], wanted["release"]),
    }


def _newest_releases(ask: Ask) -> list[Json]:
    page = ask.client.get(f"{ask.place.path}/releases", {"limit": 20})
    return list(page["items"])


def _with(offered: list[str], chosen: str) -> list[str]:
    unique = list(dict.fromkeys(offered))
    return unique if not chosen or chosen in unique else [*unique, chosen]


def _address(ask: Ask, wanted: dict[str, str], before: str) -> str:
    return app_url(ask, "/logs", **wanted, before=before)


def _follow(ask: Ask, wanted: dict[str, str]) -> str:
    """Return where the browser hears new lines; nothing while older ones are read."""
    if ask.query.get("before"):
        return ""
    query = {name: wanted[name] for name in PASSED if wanted[name]}
    return f"{ask.place.path}/logs/follow?{urlencode(query)}"


def _command(ask: Ask, wanted: dict[str, str]) -> str:
    words: list[Any] = ["perron", "logs", "-a", ask.app]
    if ask.environment != "production":
        words += ["-e", ask.environment]
    for name in ("process", "instance", "release", "source"):
        words += [f"--{name}", wanted[name]] if wanted[name] else []
    words += ["--since", wanted["since"]] if wanted["since"] else []
    words += ["--grep", wanted["text"]] if wanted["text"].isalnum() else []
    return " ".join([*words, "-f"])


ALL = (Page("/apps/{app}/logs", show_logs),)
