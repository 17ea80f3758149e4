"""``perron status``: how the platform is, asked of each part by itself."""

import json
import os
from datetime import datetime
from typing import Any

import click

from perron import __version__
from perron.contract.node import NODE, REPORT
from perron.contract.platform import HEALTH
from perron.kit import clock
from perron.kit.ask import NoAnswer, ask
from perron.kit.settings import Home

from . import freshness, processes
from .screen import mark

FAILED = 1


def show(*, as_json: bool) -> int:
    """Print how server, agent, edge and instances are; exit 1 when something is not running."""
    home = Home.from_environment(os.environ)
    if not home.settings.exists():
        click.echo(f"There is no platform in {home.path}. Next: perron up", err=True)
        return FAILED
    found = look(home)
    if as_json:
        click.echo(json.dumps(found))
    else:
        _print(found)
    return 0 if all(found[part]["up"] for part in ("server", "agent", "edge")) else FAILED


def look(home: Home) -> dict[str, Any]:
    """Return what each part says of itself; what does not answer is down, its apps unknown."""
    node = _ask(home.agent_socket, NODE) if processes.pid_of(home, "agent") else None
    health = _ask(home.api_socket, HEALTH) if processes.pid_of(home, "serve") else None
    report = _ask(home.agent_socket, REPORT) if node else None
    return {
        "version": __version__,
        "home": str(home.path),
        "server": {"up": bool(health), "pid": processes.pid_of(home, "serve")},
        "agent": {"up": bool(node), "pid": processes.pid_of(home, "agent")},
        "edge": {"up": _edge_is_up(home, node)},
        "instances": _counted(report),
        "backup": made.isoformat() if (made := freshness.newest_at(home)) else None,
        "down_wished": processes.is_down_wished(home),
    }


def _edge_is_up(home: Home, node: dict[str, Any] | None) -> bool:
    """Ask the agent; when it is away, look whether the edge's admin socket takes a connection."""
    if node:
        return bool(node["edge"] == "up")
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(home.run / "edge.sock")) == 0


def _counted(report: dict[str, Any] | None) -> dict[str, int] | None:
    if report is None:
        return None
    instances = [each for place in report["environments"] for each in place["instances"]]
    states = {each["state"] for each in instances}
    return {state: sum(each["state"] == state for each in instances) for state in sorted(states)}


def _ask(socket: Any, what: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = ask(socket, what)
    except NoAnswer:
        return None
    return answer


def _print(found: dict[str, Any]) -> None:
    parts = "  ".join(
        f"{mark('ok' if found[part]['up'] else 'failed')} {part}"
        for part in ("edge", "agent", "server")
    )
    click.echo(f"Perron {found['version']}  {parts}")
    click.echo(_instances(found["instances"]))
    click.echo(_backup(found["backup"]))
    if found["down_wished"]:
        click.echo("Stopped by perron down; apps and edge go on serving. Next: perron up", err=True)
    elif not (found["server"]["up"] and found["agent"]["up"]):
        click.echo("Whatever is missing comes back by itself; if not: perron up", err=True)


def _backup(made: str | None) -> str:
    if made is None:
        return f"{mark('unknown')} No backup yet: one is made each hour, or perron platform backup"
    return f"Last backup {ago(datetime.fromisoformat(made))} ago."


def ago(made: datetime) -> str:
    """Say how long ago something was, in minutes, hours or days."""
    minutes = (clock.now() - made).total_seconds() / 60
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 60 * 48 else f"{minutes / 1440:.0f} days"


def _instances(counted: dict[str, int] | None) -> str:
    if counted is None:
        return f"{mark('unknown')} instances unknown: the agent does not answer."
    if not counted:
        return "No instances."
    total = sum(counted.values())
    noun = "instance" if total == 1 else "instances"
    return f"{total} {noun}: " + ", ".join(f"{number} {state}" for state, number in counted.items())
