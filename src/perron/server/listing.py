"""``perron platform backups``: what can be gone back to, how old it is, and how long it stays."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from perron.kit import settings
from perron.kit.settings import Home

from . import freshness, retention
from .screen import mark, say
from .status import ago

KINDS = {
    "whole": "apps come up from it",
    "perron": "the server's state alone",
    "before-upgrade": "what an upgrade took over",
}


def show(*, as_json: bool) -> int:
    """Print every backup of this home, newest first."""
    home = Home.from_environment(os.environ)
    if not home.settings.exists():
        raise click.UsageError(f"There is no platform in {home.path}. Next: perron up")
    found = listed(home)
    policy = retention.policy_of(settings.load(home))
    failed = freshness.failure(home)
    if as_json:
        told = {"backups": found, "kept": asdict(policy), "failed": failed and asdict(failed)}
        click.echo(json.dumps(told))
        return 0
    for each in found:
        made = each["made"][:19].replace("T", " ")
        click.echo(f"{made}Z  {each['kind']:<15}{_size(each['size']):>9}  {each['path']}")
    say(_summary(home, str(policy)))
    if failed:
        say(f"{mark('failed')} Since {failed.since[:16]}Z the hourly one fails: {failed.why}")
    return 0


def listed(home: Home) -> list[dict[str, Any]]:
    """Return every backup of a home that its name dates, newest first; sizes share what links."""
    found = [
        {"made": made.isoformat(), "kind": kind, "what": KINDS[kind], "path": str(each),
         "size": _taken(each)}
        for kind in KINDS
        for each in home.backups.glob(f"{kind}-[0-9]*")
        if (made := freshness.made_at(each))
    ]  # fmt: skip
    return sorted(found, key=lambda each: str(each["made"]), reverse=True)


def _summary(home: Home, policy: str) -> str:
    made = freshness.newest_at(home)
    if made is None:
        return f"{mark('unknown')} No backup yet: one is made each hour, or perron platform backup"
    return f"The newest is {ago(made)} old. Kept: {policy} (perron platform set backups_daily=…)."


def _taken(place: Path) -> int:
    files = [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]
    return sum(each.stat().st_size // max(1, each.stat().st_nlink) for each in files)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
