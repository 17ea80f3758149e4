"""``perron up`` and ``perron down``."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from perron import __version__
from perron.kit import lock, settings
from perron.kit.files import private_folder
from perron.kit.settings import Home, Settings

from . import due, health, machine, processes, setup, units
from .screen import Stopwatch, mark, say

PATIENCE = 120.0  # seconds until a start counts as failed; one that ended is seen at once
PUBLIC = "0.0.0.0,::"
APP_SIGNS = ("Procfile", "requirements.txt", "package.json", "index.html")
Check = Callable[[Home], bool]


def bring_up(*, public: bool, ports: Mapping[str, int], trusted: bool = False) -> int:
    """Start what is not running, wait until all of it is healthy, and say what to do next.

    ``trusted``: where no sandbox can be made, one team's apps run without, from now on.
    """
    home = Home.from_environment(os.environ)
    setup.check_sockets(home)
    turn = _take_turn(home)
    try:
        return _bring_up(home, public=public, ports=ports, trusted=trusted)
    finally:
        turn.release()


def _take_turn(home: Home) -> lock.Lock:
    """Wait until no other ``perron up`` is at work here: the second one finds all of it done."""
    path, told = private_folder(home.path) / "run" / "up.lock", False
    while True:
        try:
            return lock.hold(path)
        except lock.LockHeld as held:
            if not told:
                say(f"Another perron up (process {held.pid or '?'}) is at work; waiting for it.")
            told = True
            processes.wait_for(lambda: lock.holder(path) is None, PATIENCE)


def _bring_up(home: Home, *, public: bool, ports: Mapping[str, int], trusted: bool) -> int:
    watch = Stopwatch()
    asked = {f"PERRON_{name.upper()}": str(port) for name, port in ports.items()}
    chosen, told = setup.prepare(home, os.environ | asked)
    machine.check(chosen)
    for line in told:
        say(line)

    def take_over() -> Settings:
        return _take_over(home, chosen, public=public, ports=ports, trusted=trusted)

    if before := due.code_before(home):
        from . import upgrading

        machine.check_sandbox(replace(chosen, trusted=chosen.trusted or trusted))
        return upgrading.upgrade(home, before, watch, lambda: _start(home, take_over(), watch))
    chosen = take_over()
    processes.wish_down(home, down=False)
    if all(processes.pid_of(home, name) for name in processes.NAMES) and health.is_healthy(home):
        say(f"Perron {__version__} is up since {_since(home)}; nothing to do.")
        _open(json.loads((home.path / "cli.json").read_text()), chosen)
        return 0
    return _start(home, chosen, watch)


def bring_down(*, apps: bool) -> int:
    """Stop server and agent, and with ``apps`` everything else; say what goes on."""
    home = Home.from_environment(os.environ)
    if not home.settings.exists():
        say(f"There is no platform in {home.path}; nothing to stop.")
        return 0
    processes.wish_down(home, down=True)
    with ThreadPoolExecutor() as pool:  # the agent's end ends the server's long question to it
        ran = list(pool.map(lambda name: processes.stop(home, name), processes.NAMES))
    if apps:
        from perron import agent

        stopped = agent.stop_everything(home, settings.load(home))
        say(f"Stopped: server, agent, {stopped} instances and the edge. Next: perron up")
    elif any(ran):
        say("Server and agent are stopped. Apps and edge go on serving.")
        say("Next   perron up            to manage them again")
        say("       perron down --apps   to stop those too")
    else:
        say("Server and agent were not running.")
    return 0


def print_units() -> int:
    """Print a script that hands server, agent and apps over to systemd; nothing is installed."""
    home = Home.from_environment(os.environ)
    chosen, told = setup.prepare(home)
    machine.check(chosen)
    for line in told:
        say(line)
    click.echo(units.script(home), nl=False)
    say("Next   perron up --print-systemd | sh")
    return 0


def stay() -> int:
    """Wait for Ctrl C or a signal, then stop server and agent."""
    ended = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    say("Ctrl C stops server and agent; apps and edge go on serving.")
    ended.wait()
    return bring_down(apps=False)


def _take_over(
    home: Home, chosen: Settings, *, public: bool, ports: Mapping[str, int], trusted: bool
) -> Settings:
    """Keep what was asked for on the command line."""
    asked: dict[str, Any] = dict(ports) | ({"bind": PUBLIC} if public else {})
    asked |= {"trusted": True} if trusted else {}
    wanted = replace(chosen, **asked)
    if wanted == chosen:
        return chosen
    settings.save(home, wanted)
    if processes.stop(home, "agent"):
        say("Settings changed; the agent starts again.")
    return wanted


def _start(home: Home, chosen: Settings, watch: Stopwatch) -> int:
    machine.check_sandbox(chosen)
    if not (home.run / "edge.sock").exists():
        setup.check_ports(chosen)
    children = _begin(home)
    for name, is_well, text in (
        ("agent", health.agent_well, _agent_text),
        ("edge", health.edge_well, _edge_text),
        ("server", health.server_well, _server_text),
    ):
        if not _wait(home, name, is_well, children):
            return _explain(home, name)
        watch.step("ok", name, text(home, chosen))
    _welcome(home, chosen)
    return 0


def _begin(home: Home) -> "dict[str, subprocess.Popen[bytes]]":
    """Start what does not run, or have systemd start it where its units are installed."""
    missing = [name for name in processes.NAMES if processes.pid_of(home, name) is None]
    if missing and units.are_installed(home):
        control = units.places()[1].split()
        names = [units.NAMES[name] for name in missing]
        subprocess.run([*control, "start", *names], check=False)  # noqa: S603 - fixed words
        return {}
    return {name: processes.start(home, name) for name in missing}


def _wait(
    home: Home, name: str, is_well: Check, children: Mapping[str, "subprocess.Popen[bytes]"]
) -> bool:
    child = children.get("serve" if name == "server" else "agent")

    def settled() -> bool:
        return is_well(home) or (child is not None and child.poll() is not None)

    processes.wait_for(settled, PATIENCE)
    return is_well(home)


def _explain(home: Home, name: str) -> int:
    log = home.logs / ("serve.log" if name == "server" else "agent.log")
    say(f"{mark('failed')} {name} did not become healthy. The last lines of {log}:")
    for line in log.read_text(errors="replace").splitlines()[-8:] if log.exists() else ():
        say(f"  {line}")
    say("Next   perron doctor")
    return 1


def _agent_text(home: Home, _chosen: Settings) -> str:
    tier = (health.answer_of(home, "agent") or {}).get("tier", "?")
    return "trusted apps of one team only: no sandbox" if tier == "C" else f"sandbox tier {tier}"


def _edge_text(_home: Home, chosen: Settings) -> str:
    where = "every address" if chosen.bind == PUBLIC else chosen.bind.replace(",", " and ")
    return f"ports {chosen.http_port}, {chosen.https_port} on {where}"


def _server_text(_home: Home, chosen: Settings) -> str:
    return chosen.domain


def _since(home: Home) -> str:
    return (health.answer_of(home, "agent") or {}).get("started", "")[11:16] or "a while"


def _welcome(home: Home, chosen: Settings) -> None:
    login = json.loads((home.path / "cli.json").read_text())
    say(f"Perron {__version__} is up. You are signed in by {home.path / 'cli.json'}.")
    say(f"API    {chosen.url}/v1/docs   (locally: {login['url']})")
    _open(login, chosen)
    for line in _first_steps(Path.cwd()):
        say(line)


def _open(login: dict[str, str], chosen: Settings) -> None:
    """Print a page that signs the local administrator in, once."""
    from perron.client import Client, Fault, people

    client = Client(login["url"], login["token"])
    try:
        say(f"Open   {chosen.url}{people.login_link(client)['path']}   (once, 10 min)")
    except Fault as why:
        say(f"Open   {chosen.url}   (no link was made: {why})")
    finally:
        client.close()


def _first_steps(here: Path) -> tuple[str, ...]:
    """Return what a newcomer can do next where they are: with an example, an app, or nothing."""
    if (here / "examples" / "hello").is_dir():
        return ("Next   perron deploy examples/hello --create",)
    if any((here / name).exists() for name in APP_SIGNS):
        return ("Next   perron deploy --create       this folder, as an app of its name",)
    return (
        "Next   perron deploy DIR --create   DIR is your app's folder",
        "   or  mkdir hello && echo '<h1>Hello</h1>' > hello/index.html",
        "       perron deploy hello --create",
    )
