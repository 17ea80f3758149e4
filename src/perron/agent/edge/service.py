"""The edge: applies what shall be, keeps HAProxy alive, and tells what it saw."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

from perron.agent.logs import Logs
from perron.contract.node import RouterCount
from perron.kit import clock
from perron.kit.files import private_folder, write_whole
from perron.kit.settings import Home, Settings

from . import admin, configuration, outline, pages, plan, ring
from .keyring import Keyring
from .listening import Listener
from .model import FALL, AccessLine, Backend, TargetState, name_of, shown_as_starting
from .plan import Desired, Running
from .process import EdgeFailed, PortTaken, Process, bindable
from .router import Router

TIDY_EVERY = 15.0
USUAL_INTERVAL = 5.0
RENEW_EVERY = 5760  # tidyings: once a day
_AT_ONCE = 25
_PATIENCE = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
log = logging.getLogger(__name__)


class Edge:
    """HAProxy in front of every app. It outlives the agent, and comes back when it is killed.

    What shall be is on disk before HAProxy hears of it, so that it comes back with everything.
    """

    def __init__(self, home: Home, settings: Settings, logs: Logs | None = None) -> None:
        self._home = home
        self._settings = settings
        self._process = Process(home, settings)
        self._frame = configuration.Frame(
            home, settings, bindable(settings.addresses), os.geteuid() == 0
        )
        self._keyring = Keyring(home, settings, self._frame.certificate_list)
        self._router = Router(home.node / "router.db", logs)
        self._backends: Sequence[Backend] = ()
        self._desired = Desired()
        self._seats: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._up = asyncio.Event()
        self._listener = Listener(self._process, self._router, self._up)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Find our HAProxy or start it, then keep it: it is back within a second of its death.

        Raises PortTaken when another program has a port, naming it.
        """
        private_folder(self._home.edge)
        private_folder(self._home.run)
        pages.write(self._frame.pages, self._frame.measure)
        self._recall()
        await self._adopt_or_launch()
        self._router.open()
        self._up.set()
        for work in (self._keep(), self._tidy(), self._listener.run()):
            self._tasks.append(asyncio.create_task(work))

    async def apply(self, backends: Sequence[Backend]) -> None:
        """Make HAProxy lead visitors exactly so; new instances are in before old ones leave."""
        async with self._lock:
            self._backends = tuple(backends)
            for patience in _PATIENCE:
                try:
                    await self._apply()
                    break
                except admin.EdgeAway:  # it is being started again
                    await asyncio.sleep(patience)
            else:
                await self._apply()

    async def in_flight(self) -> dict[str, int]:
        """Return how many requests each instance is answering, by target name."""
        counts: dict[str, int] = {}
        for each in await self._everywhere():
            name = name_of(each.server)
            counts[name] = counts.get(name, 0) + each.in_flight
        return counts

    async def close(self, target: str) -> int:
        """Shut down every request in flight on an instance; return how many were cut."""
        cut = 0
        for worker in (None, *await self._process.retired()):
            for each in await self._seen(worker):
                if name_of(each.server) == target:
                    cut += each.in_flight
                    await self._shut(worker, each)
        return cut

    async def states(self) -> dict[str, TargetState]:
        """Return what the edge's own checks say of each instance, by target name."""
        now, known = clock.now(), self._desired.by_key()
        return {
            name_of(each.server): _state(each, now, known.get((each.backend, each.server)))
            for each in await admin.servers(self._process.socket)
            if not each.status.startswith("MAINT")
        }

    def access_lines(self) -> AsyncIterator[AccessLine]:
        """Yield every access line from now on."""
        return self._router.follow()

    async def router_count(
        self, environment: str, since: datetime, until: datetime, release: int | None = None
    ) -> RouterCount:
        """Return what visitors of an environment asked for and did not get, to the second.

        ``first_served`` is when an instance (of that release, if one is named) first answered.
        """
        await asyncio.sleep(2 * ring.GATHER)  # what has just ended is read by then
        return await self._router.count(environment, since, until, release)

    async def traffic(self) -> dict[str, list[int]]:
        """Return the requests of every environment in each minute of the last hour."""
        return await self._router.minutes()

    def is_up(self) -> bool:
        """Say whether HAProxy runs."""
        return self._up.is_set()

    async def detach(self) -> None:
        """Let go of HAProxy and leave it running: the agent ends, the edge does not."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._router.close()

    async def stop(self) -> None:
        """Stop HAProxy for good."""
        await self.detach()
        await self._process.end()
        self._up.clear()

    async def _apply(self) -> None:
        running = await self._look()
        await self._make_seats(running)
        await self._keyring.show(self._process.socket, self._backends)
        await asyncio.to_thread(self._write_down)  # a slow disk keeps nobody else waiting
        await self._correct(running)

    async def _correct(self, running: Running) -> None:
        """Let HAProxy do what is different; after a refusal look again, and try once more."""
        try:
            await self._carry_out(running)
        except admin.EdgeRefused as why:
            log.warning("%s", why)
            await self._carry_out(await self._look())

    async def _carry_out(self, running: Running) -> None:
        maps = (self._frame.hosts_map, self._frame.apps_map)
        for commands in _together(plan.additions(self._desired, running, *maps)):
            await admin.tell(self._process.socket, *commands, expect=_REGISTERED)
        for commands in _together(plan.removals(self._desired, running, *maps)):
            await admin.tell(self._process.socket, *commands, expect=_NOTHING)
        for name, server in plan.leavers(self._desired, running):
            await admin.ask(self._process.socket, f"del server {name}/{server}")

    async def _look(self) -> Running:
        """Return what HAProxy knows now."""
        maps = (self._frame.hosts_map, self._frame.apps_map)
        return Running(*await admin.known(self._process.socket, *maps))

    async def _make_seats(self, running: Running) -> None:
        """Choose backends; when a pool is used up, make it larger and reload."""
        busy = {name for name, _ in running.ports} - set(self._seats.values())
        while True:
            try:
                self._seats = plan.seat(self._seats, self._backends, self._frame.pools, busy)
                break
            except plan.PoolUsedUp as used_up:
                await self._enlarge(used_up.kind)
        self._desired = plan.desire(self._backends, self._seats, self._settings)

    async def _enlarge(self, kind: str) -> None:
        pools = {**self._frame.pools, kind: self._frame.pools[kind] * 2}
        log.info("The pool of %s backends grows to %d; the edge reloads.", kind, pools[kind])
        self._frame = replace(self._frame, pools=pools)
        self._write_down()
        await self._process.reload()
        self._listener.look_again()
        await self._settle()

    def _write_down(self) -> None:
        """Put everything on disk, from which HAProxy starts."""
        config = configuration.write(self._frame, self._desired.servers)
        for path, text in (
            (self._frame.hosts_map, _lines(self._desired.hosts)),
            (self._frame.apps_map, _lines(self._desired.apps)),
            (self._process.configuration, config),
            (self._home.edge / "seats.json", self._remembered()),
        ):
            if not path.exists() or path.read_text() != text:
                write_whole(path, text)

    def _remembered(self) -> str:
        return json.dumps({"seats": self._seats, "pools": dict(self._frame.pools)})

    def _recall(self) -> None:
        """Read which environment sits where, from before the agent was started."""
        try:
            kept = json.loads((self._home.edge / "seats.json").read_text())
        except (OSError, ValueError):
            return
        self._seats = dict(kept["seats"])
        self._frame = replace(self._frame, pools={**outline.POOLS, **kept["pools"]})
        apps = _entries(self._frame.apps_map)
        self._desired = Desired(
            hosts=_entries(self._frame.hosts_map),
            apps={name: shown_as_starting(packed) for name, packed in apps.items()},
        )

    async def _adopt_or_launch(self) -> None:
        frame = self._frame.rules
        if await self._process.adopt():
            kept = self._process.configuration.read_text()
            # Another version of us wrote it, or started it from an installation that may go.
            if not kept.startswith(frame) or self._process.is_outdated():
                await self._reframe(kept, frame)
            return
        # Instances may have moved while nobody looked: none is led to before the first ``apply``.
        self._keyring.prepare()
        self._write_down()
        await self._process.launch()
        await self._settle()

    async def _reframe(self, kept: str, frame: str) -> None:
        """Put new rules over the backends and servers that are there."""
        _, head, rest = kept.partition("\nbackend http-00000 ")
        write_whole(self._process.configuration, frame + head.lstrip("\n") + rest)
        try:
            await self._process.renew()
            self._listener.look_again()
            await self._settle()
        except (EdgeFailed, OSError):
            log.exception("The edge keeps its old rules.")

    async def _settle(self) -> None:
        """Give what a start read from disk the standing of what was checked before."""
        self._keyring.settled()
        seen = await admin.servers(self._process.socket)
        well = [f"set server {each.backend}/{each.server} health up" for each in seen]
        for at in range(0, len(well), 50):
            await admin.ask(self._process.socket, *well[at : at + 50])

    async def _keep(self) -> None:
        """Start HAProxy again whenever it ends."""
        while True:
            await self._process.ended()
            self._up.clear()
            log.warning("The edge ended; it is started again.")
            await self._revive()
            self._up.set()

    async def _revive(self) -> None:
        for patience in chain(_PATIENCE, repeat(_PATIENCE[-1])):
            try:
                await self._process.launch()
                self._listener.look_again()
                await self._settle()
                break
            except (EdgeFailed, PortTaken, OSError, admin.EdgeAway) as why:
                log.error("%s", why)
            await asyncio.sleep(patience)

    async def _tidy(self) -> None:
        """Correct what is different, forget who left, renew certificates."""
        rounds = 0
        while True:
            await asyncio.sleep(TIDY_EVERY)
            rounds += 1
            if not self._backends or not self.is_up():
                continue
            async with self._lock:
                try:
                    if rounds % RENEW_EVERY == 0:
                        self._keyring.look_again()
                        await self._apply()
                    else:
                        await self._correct(await self._look())
                    await self._router.settle()
                except (admin.EdgeAway, admin.EdgeRefused, OSError) as why:
                    log.warning("The edge could not be tidied: %s", why)

    async def _seen(self, retired: tuple[Path, int] | None) -> list[admin.Seen]:
        if retired is None:
            return await admin.servers(self._process.socket)
        master, pid = retired
        return await admin.servers(master, f"@!{pid} ")

    async def _everywhere(self) -> list[admin.Seen]:
        """Return what every worker sees: the present one, and those that only finish."""
        old = await self._process.retired()
        return [each for worker in (None, *old) for each in await self._seen(worker)]

    async def _shut(self, retired: tuple[Path, int] | None, seen: admin.Seen) -> None:
        place = f"{seen.backend}/{seen.server}"
        if retired is None:
            await admin.ask(self._process.socket, f"shutdown sessions server {place}")
        elif seen.in_flight:
            await admin.shut_retired(*retired, seen)


_REGISTERED = "New server registered"
_NOTHING = "\n"  # in no line: anything said is a refusal


def _together(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Put commands together in their order, as many as one line may hold."""
    commands = [command for group in groups for command in group]
    return [commands[at : at + _AT_ONCE] for at in range(0, len(commands), _AT_ONCE)]


def _state(seen: admin.Seen, now: datetime, server: configuration.Server | None) -> TargetState:
    interval = server.interval if server else USUAL_INTERVAL
    since = now - timedelta(seconds=seen.seconds)
    up = not seen.status.startswith("DOWN")
    word, _, part = seen.status.partition(" ")
    if not up:
        return TargetState(False, since, FALL + int(seen.seconds / interval))
    left, _, of = part.partition("/")
    failing = int(of) - int(left) if word == "UP" and left.isdigit() and of.isdigit() else 0
    return TargetState(True, since, failing)


def _entries(path: Path) -> dict[str, str]:
    """Read a map file of ours."""
    if not path.exists():
        return {}
    return dict(line.split(" ", 1) for line in path.read_text().splitlines())


def _lines(entries: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in sorted(entries.items()))
