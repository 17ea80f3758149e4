"""Keeps one instance: starts it, finds it well, starts it again when it falls, ends it."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from perron.agent import sandbox
from perron.agent.logs import Labels
from perron.agent.places import can_bind
from perron.contract.node import EnvironmentWish, Exit, InstanceState, ProcessSet
from perron.kit import clock
from perron.kit.db import unit_of_work
from perron.kit.problems import Permanent, Problem, Temporary

from . import store
from .health import Findings, become_well
from .model import FALLEN, LEAVING, RUNNING, Instance, check_of, crashed, delay, in_words
from .outfit import outfit
from .tools import Tools

AFTER_TROUBLE = 2.0  # seconds until a fault of ours is tried over
SLOT_HELD = 2.0  # seconds a slow starter keeps others waiting when everything starts at once

log = logging.getLogger("perron.agent")


class Keeper:
    """The life of one instance, from its first start until nothing of it is left.

    ``changed`` is called after every change of ``instance``. The life goes on in a task of its
    own, which sleeps until something happens to the process.
    """

    def __init__(
        self,
        tools: Tools,
        instance: Instance,
        made_of: ProcessSet,
        wish: Callable[[], EnvironmentWish],
        changed: Callable[[str], None],
    ) -> None:
        self.instance = instance
        self.made_of = made_of
        self.served = instance.rotating
        self.drained = asyncio.Event()
        self.over = False
        self.running: sandbox.Running | None = None
        self._tools = tools
        self._wish = wish
        self._changed = changed
        self._leave = asyncio.Event()
        self._pause = delay(instance)
        self._ooms = False
        self._fault = ""
        self._task: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start an instance that is new."""
        self._task = asyncio.create_task(self._live(), name=f"keep {self.instance.id}")

    def adopt(self) -> None:
        """Go on where an agent before us was ended."""
        found = sandbox_of(self._tools, self.instance)
        if isinstance(found, sandbox.Running):
            self.running = found
            self._watch_output()
            if self.instance.state in FALLEN:  # killed between the start and its record
                self._become(self.instance.at(InstanceState.STARTING, clock.now()))
        elif self.instance.state not in FALLEN | LEAVING and self.instance.started is not None:
            self._watch_output()
            self._note_ending(found, seen=False)
        if self.instance.state in LEAVING:
            self.leave(drain=self.instance.state == InstanceState.DRAINING)
        self.begin()

    def leave(self, *, drain: bool) -> None:
        """End this instance for good; its visitors may finish first when ``drain``."""
        state = InstanceState.DRAINING if drain else InstanceState.STOPPING
        if not drain:
            self.drained.set()
        self._become(self.instance.at(state, clock.now()))
        self._leave.set()

    def rotate(self, rotating: bool) -> None:
        """Note whether the edge leads visitors here."""
        self.served = self.served or rotating
        if rotating != self.instance.rotating:
            self._become(replace(self.instance, rotating=rotating))

    def seen(self, *, well: bool) -> None:
        """Note what the edge's checks say of an instance in rotation."""
        if self.instance.state in RUNNING:
            state = InstanceState.HEALTHY if well else InstanceState.UNHEALTHY
            message = "" if well else "does not answer its health check; out of rotation"
            if state != self.instance.state:
                self._become(self.instance.at(state, clock.now(), message))

    async def restart(self, why: str) -> None:
        """Stop a process that is not well; its life goes on with a new one."""
        if (running := self.running) and not self._leave.is_set():
            self._fault = why
            self._become(replace(self.instance, rotating=False))
            await self._stop(running)

    def look_for_lost_workers(self) -> None:
        """Tell the log when a part of the instance ran out of memory and the rest went on."""
        if self.running and not self._ooms and self.running.out_of_memory():
            self._ooms = True
            self._say("ran out of memory: one of its processes was killed, the rest goes on")

    def pause(self) -> None:
        """Stop keeping, and leave the instance as it is, for the next agent."""
        if self._task:
            self._task.cancel()

    async def _live(self) -> None:
        """Keep going whatever happens: nobody else would keep this instance."""
        while not self.over:
            try:
                await self._keep_until_it_leaves()
                await self._end()
            except Exception as why:
                log.exception("%s of %s", self.instance.name, self.instance.environment)
                self._say(f"could not be looked after: {why}; trying again")
                await asyncio.sleep(AFTER_TROUBLE)

    async def _keep_until_it_leaves(self) -> None:
        while not self._leave.is_set() or self.running is not None:
            if self.running is None and not await self._next_start():
                continue
            await self._until_it_ends()

    async def _next_start(self) -> bool:
        """Wait as long as a fallen instance has to, then start it; false when that failed."""
        if self.instance.state in FALLEN:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), self._pause)
                return False
        async with self._tools.starts:
            if self._leave.is_set():
                return False
            try:
                await self._start()
            except (Temporary, Permanent, Problem, OSError) as why:
                self._fall(Exit(at=clock.now(), text=f"could not be started: {why}"))
                return False
            await self._hold_slot()
        return True

    async def _start(self) -> None:
        now = clock.now()
        starting = self.instance.at(InstanceState.STARTING, now, self.instance.message)
        self._become(replace(starting, started=now, since=now))
        self._fault, self._ooms = "", False
        await self._have_port()
        what = await asyncio.to_thread(
            outfit, self._tools, self._wish(), self.instance, self.made_of
        )
        self._watch_output()
        self.running = await self._tools.sandboxes.start(what.spec, what.argv, what.env)
        self._checking = asyncio.create_task(self._check(self.running))

    async def _have_port(self) -> None:
        """Move to another port when a stranger listens on ours, as after a restart of the host."""
        port = self.instance.port
        if port is not None and not can_bind(port):
            fresh = self._tools.places.claim_port(self.instance.id)
            self._tools.places.free_port(port)
            self._become(replace(self.instance, port=fresh))
            self._tools.ledger.write()  # whoever is next must know where it listens

    async def _hold_slot(self) -> None:
        """Keep the place among the starters until it is well, has ended, or takes long."""
        if self._checking and self.running:
            ended = asyncio.create_task(self.running.wait())
            leaving = asyncio.create_task(self._leave.wait())
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait(
                {self._checking, ended, leaving}, timeout=SLOT_HELD, return_when=first
            )
            ended.cancel()
            leaving.cancel()

    async def _until_it_ends(self) -> None:
        running = self.running
        if running is None:
            return
        if self._checking is None and self.instance.state == InstanceState.STARTING:
            self._checking = asyncio.create_task(self._check(running))
        ended = asyncio.create_task(running.wait())
        leaving = asyncio.create_task(self._leave.wait())
        try:
            await asyncio.wait({ended, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                await self._drain(ended)
                await self._stop(running)
            ending = await ended
        finally:
            self._stop_checking()
            ended.cancel()
            leaving.cancel()
        await running.kill()  # what it left in the background would go on without it
        self.running = None
        if not self._leave.is_set():
            self._note_ending(ending)

    async def _drain(self, ended: "asyncio.Task[sandbox.Ending]") -> None:
        """Let visitors finish; whoever drains says when, or the time for it is over."""
        drained = asyncio.create_task(self.drained.wait())
        await asyncio.wait({drained, ended}, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()

    async def _stop(self, running: sandbox.Running) -> None:
        """Ask the app to end; end it and all it started when it does not."""
        if self._leave.is_set():
            self._become(self.instance.at(InstanceState.STOPPING, clock.now()))
        running.terminate()
        try:
            await asyncio.wait_for(running.wait(), self.made_of.stop_timeout)
        except TimeoutError:
            self._say(f"did not end within {in_words(self.made_of.stop_timeout)}; killed")
            await running.kill()

    async def _check(self, running: sandbox.Running) -> None:
        check, findings = check_of(self.made_of), Findings()
        hosts = self._wish().hosts
        host = hosts[0] if hosts else "localhost"
        if await become_well(check, self.instance.port, host, findings):
            if self.instance.state == InstanceState.STARTING:
                self._become(self.instance.at(InstanceState.HEALTHY, clock.now()))
            return
        if not self._leave.is_set():
            self._fault = findings.in_words(check)
            await self._stop(running)

    def _note_ending(self, ending: sandbox.Ending | None, *, seen: bool = True) -> None:
        """Turn the end of the process into a fall, with its reason in words.

        What first fell while nobody looked has waited long enough: most likely all did at once.
        """
        if ending is None:  # the machine was restarted, or the agent ended before the start
            again = replace(self.instance, rotating=False, restarts=self.instance.restarts + 1)
            self._become(again.at(InstanceState.STARTING, clock.now(), "ended with the machine"))
            return
        self._fall(
            Exit(
                at=ending.at,
                code=ending.code,
                signal=ending.signal,
                out_of_memory=ending.out_of_memory,
                text=self._fault or ending.text,
            ),
            seen=seen,
        )

    def _fall(self, ending: Exit, *, seen: bool = True) -> None:
        self._stop_checking()
        fallen = crashed(self.instance, ending, clock.now())
        self._become(fallen)
        self.served = False
        loop = " (it keeps crashing)" if fallen.state == InstanceState.CRASHED else ""
        self._pause = delay(fallen) if seen or fallen.streak > 1 else 0.0
        when = f"in {in_words(self._pause)}" if self._pause else "now"
        self._say(f"{ending.text}; starts again {when}{loop}")

    def _stop_checking(self) -> None:
        if self._checking and self._checking is not asyncio.current_task():
            self._checking.cancel()
        self._checking = None

    async def _end(self) -> None:
        """Leave nothing behind: no process, file, port or row; the log stays."""
        folder = self._tools.places.instance(self.instance.id)
        self._tools.logs.finish(folder / "output")
        await asyncio.to_thread(_remove, folder)
        if self.instance.port is not None:
            self._tools.places.free_port(self.instance.port)
        self._tools.ledger.forget(self.instance.id)
        with unit_of_work(self._tools.database) as uow:
            store.remove(uow, self.instance.id)
        self.over = True
        self._changed(self.instance.environment)

    def _become(self, instance: Instance) -> None:
        if instance == self.instance:
            return
        self.instance = instance
        self._tools.ledger.note(instance)
        self._changed(instance.environment)

    def _watch_output(self) -> None:
        labels = Labels(
            environment=self.instance.environment,
            source="app",
            process=self.instance.process,
            instance=self.instance.name,
            release=self.instance.release,
        )
        self._tools.logs.watch(self._tools.places.instance(self.instance.id) / "output", labels)

    def _say(self, what: str) -> None:
        self._tools.logs.say(
            self.instance.environment,
            f"{self.instance.name} {what}",
            process=self.instance.process,
            instance=self.instance.name,
            release=self.instance.release,
        )


def sandbox_of(tools: Tools, instance: Instance) -> sandbox.Running | sandbox.Ending | None:
    """Return the process of an instance that an agent before us started, or how it ended."""
    return tools.sandboxes.find(tools.places.instance(instance.id))


def _remove(folder: object) -> None:
    sandbox.clean(folder)  # type: ignore[arg-type]
    shutil.rmtree(str(folder), ignore_errors=True)
