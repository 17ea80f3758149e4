"""Jobs: work that runs a tenant's code once, asked for by name."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import OperationalError
from starlette.websockets import WebSocket, WebSocketDisconnect

from perron.agent import builds
from perron.agent.builds import Builds
from perron.agent.logs import Logs
from perron.agent.sandbox import Sandboxes
from perron.contract.node import Exit, JobKind, JobReport, JobSpec, JobState
from perron.kit import clock
from perron.kit.db import Database, reading, unit_of_work
from perron.kit.problems import Permanent, Problem, Temporary
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings

from . import attending, building, caches, commands, store
from .model import Job, JobDiffers, JobNotFound, JobRefused, ahead_of, check, is_same, next_builds
from .rooms import Live, Places, Rooms, Volumes
from .watching import end, refused

CLOSE_REFUSED = 4000  # the WebSocket close code the agent uses for a refusal; its reason says why
CANCEL_WAIT = 8.0
AGAIN = 1.0
HOUR = 3600.0
KEEP_FOR = timedelta(days=30)  # what is known of a job that has ended
Work = Callable[[Live], Awaitable[tuple[Exit, int | None] | None]]
log = logging.getLogger(__name__)


class Jobs:
    """The jobs of this node. One that runs outlives the agent, and the next one takes it over.

    Builds wait for a free place, and teams take turns; release commands and runs begin at once.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        database: Database,
        sealer: Sealer,
        sandboxes: Sandboxes,
        logs: Logs,
        builds: Builds,
        places: Places,
        volumes: Volumes,
    ) -> None:
        self._rooms = Rooms(home, settings, sandboxes, logs, builds, places, volumes)
        self._database = database
        self._sealer = sealer
        self._live: dict[str, Live] = {}
        self._house: asyncio.Task[None] | None = None
        self._served: dict[str, None] = {}  # teams whose builds began, the latest last

    async def open(self) -> None:
        """Take over what an earlier agent began, and go on with what waits."""
        self.prune(clock.now() - KEEP_FOR)
        with reading(self._database) as uow:
            found = store.unfinished(uow, self._sealer)
        for job in found:
            self._enter(job)
        await asyncio.to_thread(self._rooms.builds.tidy)
        for job in found:
            live = self._live[job.name]
            if job.spec.interactive:
                self._begin(live, _ended_with_agent)
            elif job.state is JobState.RUNNING or job.spec.kind is not JobKind.BUILD:
                self._begin(live, self._work)
        self._remove_leftovers()
        self._advance()
        self._house = asyncio.create_task(self._keep_house())

    async def close(self) -> None:
        """Stop watching; what runs goes on."""
        if self._house:
            self._house.cancel()
        tasks = [live.task for live in self._live.values() if live.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def mounting(self, environment: str, volume: str) -> list[str]:
        """Name the unfinished jobs of an environment that have a volume."""
        return sorted(
            name
            for name, live in self._live.items()
            if live.job.spec.environment == environment
            and any(mount.name == volume for mount in live.job.spec.volumes)
        )

    def builds(self) -> set[str]:
        """Return the builds that unfinished jobs run or make."""
        specs = [live.job.spec for live in self._live.values()]
        return {build for each in specs for build in (each.build, each.output) if build}

    async def ask(self, name: str, spec: JobSpec) -> JobReport:
        """Have a job done; asking again tells how it stands, asking for another is refused."""
        check(name, spec)
        known = self._find(name)
        if known is not None:
            if not is_same(known.spec, spec):
                raise JobDiffers(f"The job {name} was asked for before, and as another one.")
            return self._report(name, known)
        job = Job(name, spec, clock.now())
        with unit_of_work(self._database) as uow:
            store.add(uow, self._sealer, job)
        live = self._enter(job)
        if spec.kind is JobKind.BUILD:
            self._advance()
        elif spec.interactive:
            self._begin(live, self._wait_for_somebody)
        else:
            self._begin(live, self._work)
        return self._report(name, live.job)

    async def report(self, name: str, wait: float = 0.0) -> JobReport:
        """Return how a job stands; with ``wait``, as soon as that changed or it has ended."""
        job = self._known(name)
        live = self._live.get(name)
        if live and not job.is_finished and wait > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(live.changed.wait(), wait)
            job = self._known(name)
        return self._report(name, job)

    async def cancel(self, name: str) -> JobReport:
        """End a job, and return when it has ended; what has ended stays as it is."""
        job = self._known(name)
        live = self._live.get(name)
        if job.is_finished or live is None:
            return self._report(name, job)
        live.note(cancelled=True)
        if live.task is None or (job.spec.interactive and not live.attended.is_set()):
            await self._finish(live, refused("cancelled"), None)
        elif live.running:
            await end(live.running)
        deadline = time.monotonic() + CANCEL_WAIT
        while name in self._live and (left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(live.changed.wait(), left)
            except TimeoutError:
                break
        return self._report(name, self._known(name))

    async def attach(self, name: str, websocket: WebSocket) -> None:
        """Lead whoever is at the other end to a job that waits for somebody."""
        await websocket.accept()
        try:
            live = self._waiting(name)
            live.attended.set()
            live.note(state=JobState.RUNNING, started=clock.now())
            exit_ = await self._attended(live, websocket)
        except Problem as why:
            await websocket.close(CLOSE_REFUSED, why.detail[:120])
            return
        await self._finish(live, exit_, None)
        with suppress(RuntimeError, WebSocketDisconnect):  # they left first
            await websocket.close()

    async def forget(self, environment: str) -> None:
        """End the jobs of an environment, and delete what is known of them and their sources."""
        mine = [
            name for name, each in self._live.items() if each.job.spec.environment == environment
        ]
        await asyncio.gather(*(self.cancel(name) for name in mine))
        with unit_of_work(self._database) as uow:
            over = store.ended(uow, self._sealer, environment)
            store.forget(uow, environment)
        for source in {each.spec.source for each in over if each.spec.source}:
            building.sent_source(self._rooms, source).unlink(missing_ok=True)

    def prune(self, older_than: datetime) -> None:
        """Delete what is known of jobs that ended long ago."""
        with unit_of_work(self._database) as uow:
            store.prune(uow, older_than)

    async def tidy(self) -> list[str]:
        """Forget jobs that ended long ago, and empty caches that outgrew their bound; say whose."""
        self.prune(clock.now() - KEEP_FOR)
        return await caches.trim(self._rooms, is_building=self._is_building)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUR)
            try:
                await self.tidy()
            except Exception:
                log.exception("Tidying up after jobs failed and is tried again in an hour.")

    def _is_building(self, team: str) -> bool:
        specs = [each.job.spec for each in self._live.values() if each.task is not None]
        return any(each.kind is JobKind.BUILD and each.team == team for each in specs)

    def _enter(self, job: Job) -> Live:
        """Begin to care for a job; the layer it needs stays until it has ended."""
        live = self._live[job.name] = Live(job, self._save)
        if key := _layer_of(job):
            self._rooms.builds.hold(key)
        return live

    def _advance(self) -> None:
        """Begin the builds whose turn it is."""
        queued, running = self._builds()
        at_once = self._rooms.settings.builds_at_once
        for job in next_builds(queued, running, list(self._served), at_once=at_once):
            live = self._live[job.name]
            self._served.pop(job.spec.team, None)
            self._served[job.spec.team] = None
            self._begin(live, self._work)

    def _begin(self, live: Live, work: Work) -> None:
        """Have it done from the loop's next turn on; a task that ends before has begun nothing."""
        if live.job.state is JobState.QUEUED and not live.job.spec.interactive:
            live.note(state=JobState.RUNNING, started=clock.now())
        live.task = asyncio.create_task(self._do(live, work), name=live.job.name)

    async def _do(self, live: Live, work: Work) -> None:
        """Do the work and write down how it ended; a fault of ours ends the job, not the agent."""
        try:
            done = await work(live)
        except (Problem, Permanent, Temporary) as why:
            done = refused(str(why)), None
        except OSError as why:
            log.exception("The job %s met a fault.", live.job.name)
            done = refused(f"this machine could not do it: {why.strerror or why}"), None
        except Exception:
            log.exception("The job %s met a fault.", live.job.name)
            done = refused("a fault of the platform; its administrator finds it in agent.log"), None
        if done is not None:
            await self._finish(live, *done)

    async def _work(self, live: Live) -> tuple[Exit, int | None]:
        output = self._rooms.output(live.job.name)
        output.touch(mode=0o600)
        self._rooms.logs.watch(output, self._rooms.labels(live.job))
        do = building.build if live.job.spec.kind is JobKind.BUILD else commands.run
        return await do(self._rooms, live)

    async def _wait_for_somebody(self, live: Live) -> tuple[Exit, int | None] | None:
        return await attending.wait_for_somebody(live)

    async def _attended(self, live: Live, websocket: WebSocket) -> Exit:
        try:
            return await attending.attend(self._rooms, live, websocket)
        except (Problem, Permanent, Temporary) as why:
            await self._finish(live, refused(str(why)), None)
            raise JobRefused(str(why)) from why

    async def _finish(self, live: Live, exit_: Exit, size: int | None) -> None:
        """Keep the last line, then the end, then clean up: whoever sees the end sees it all."""
        name = live.job.name
        if live.is_ending:
            return
        live.is_ending = True
        if live.job.spec.kind is JobKind.BUILD:
            await asyncio.to_thread(building.clear, self._rooms, live)
        await self._insist(partial(self._rooms.logs.finish, self._rooms.output(name)))
        live.job = live.job.ended(exit_, size=size)
        await self._insist(partial(self._save, live.job))
        del self._live[name]
        if source := live.job.spec.source:
            await asyncio.to_thread(self._drop_source, source)
        if key := _layer_of(live.job):
            self._rooms.builds.let_go(key)
        live.tell()
        await asyncio.to_thread(builds.remove, self._rooms.folder(name))
        self._advance()

    async def _insist(self, write: Callable[[], None]) -> None:
        """Write something down, however long the disk is full: what ended has ended."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except (OSError, sqlite3.OperationalError, OperationalError) as why:
                log.warning("The end of a job cannot be written down yet: %s", why)
                await asyncio.sleep(AGAIN)

    def _drop_source(self, digest: str) -> None:
        """Remove a source that was sent to us, unless another build waits for it."""
        if all(each.job.spec.source != digest for each in self._live.values()):
            building.sent_source(self._rooms, digest).unlink(missing_ok=True)

    def _remove_leftovers(self) -> None:
        for path in building.sent_source(self._rooms, "x").parent.glob("*"):
            self._drop_source(path.name)
        for folder in self._rooms.folder("x").parent.iterdir():
            if folder.name not in self._live:
                builds.remove(folder)

    def _report(self, name: str, job: Job) -> JobReport:
        live = self._live.get(name)
        if live is None or job.spec.kind is not JobKind.BUILD:
            return job.report()
        job = replace(job, step=building.step_of(self._rooms, live))
        if live.task is not None:
            return job.report()
        own, others = ahead_of(name, *self._builds(), list(self._served))
        return job.report().model_copy(update={"ahead_own": own, "ahead_others": others})

    def _builds(self) -> tuple[list[Job], list[Job]]:
        """Return the builds that wait, and those that run."""
        builds_ = [each for each in self._live.values() if each.job.spec.kind is JobKind.BUILD]
        queued = [each.job for each in builds_ if each.task is None]
        return queued, [each.job for each in builds_ if each.task is not None]

    def _waiting(self, name: str) -> Live:
        job, live = self._known(name), self._live.get(name)
        if live is None or not job.spec.interactive or live.attended.is_set():
            raise JobRefused(f"The job {name} does not wait for anybody.")
        return live

    def _known(self, name: str) -> Job:
        job = self._find(name)
        if job is None:
            raise JobNotFound(f"This node knows no job {name!r}.")
        return job

    def _find(self, name: str) -> Job | None:
        if live := self._live.get(name):
            return live.job
        with reading(self._database) as uow:
            return store.find(uow, self._sealer, name)

    def _save(self, job: Job) -> None:
        with unit_of_work(self._database) as uow:
            store.change(uow, job)


def _layer_of(job: Job) -> str | None:
    plan = job.spec.plan
    return plan.layer.key if plan and plan.layer else None


async def _ended_with_agent(_live: Live) -> tuple[Exit, int | None]:
    return refused("the session ended when the agent was started again"), None
