"""What the agent tells of its instances, to whoever waits for news."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from perron.agent import sandbox
from perron.agent import store as node
from perron.contract.node import EnvironmentReport, InstanceReport, Report
from perron.kit import clock
from perron.kit.db import unit_of_work

from .environments import Environment
from .keeper import Keeper
from .model import is_crash_loop
from .tools import Tools

if TYPE_CHECKING:
    from .rotation import Rotation

BLOCK = 1000  # sequence numbers taken at once, so that one report costs no write
MEASURED_FOR = 5.0
GATHER = 0.02  # seconds in which many changes become one answer, when answers follow closely,
LONGEST_GATHER = 0.5  # and for each environment that the answer before told of, up to these
LIMITS = {"memory": "memory", "CPU": "cpu", "number of processes": "processes"}


class Reports:
    """Numbers every change, and answers as soon as there is one."""

    def __init__(
        self, tools: Tools, environments: Mapping[str, Environment], rotation: "Rotation"
    ) -> None:
        self._tools = tools
        self._environments = environments
        self._rotation = rotation
        self._generation = 0
        self._node = ""
        self._sequence = 0
        self._taken = 0
        self._news = asyncio.Event()
        self._rested = 0.0
        self._changed_at: dict[str, int] = {}
        self._whole_since = 0
        self._measured: dict[str, tuple[float, sandbox.Usage, float | None]] = {}
        self._limits: dict[str, str] = {}

    def open(self, generation: int) -> None:
        """Count on from where an agent before us may have been."""
        self._generation = generation
        with unit_of_work(self._tools.database) as uow:
            self._node = node.node_id(uow)
        self._take_numbers()
        self._whole_since = self._sequence
        self._limits = {
            LIMITS[each.name]: str(each.standing)
            for each in sandbox.promises(self._tools.settings.bwrap, self._tools.settings.cgroup)
            if each.name in LIMITS
        } | {"open files": "enforced"}

    def heard(self, generation: int) -> None:
        """Note which document these reports answer."""
        self._generation = generation

    def changed(self, environments: Iterable[str]) -> None:
        """Say that the next report differs from the last in these environments."""
        self._count()
        self._changed_at.update(dict.fromkeys(environments, self._sequence))

    def changed_everywhere(self) -> None:
        """Say that only a whole report tells what is now so, as when an environment has gone."""
        self._count()
        self._whole_since = self._sequence
        self._changed_at.clear()

    def _count(self) -> None:
        self._sequence += 1
        if self._sequence >= self._taken:
            self._take_numbers()
        self._news.set()
        self._news = asyncio.Event()

    async def report(
        self, after: int | None = None, wait: float = 0.0, *, changes: bool = False
    ) -> Report:
        """Return what runs, as soon as it is not what ``after`` told, or ``wait`` passed.

        With ``changes``, environments in which nothing changed since are left out if that can
        be said.
        """
        until = time.monotonic() + wait
        while after == self._sequence and (left := until - time.monotonic()) > 0:
            news = self._news
            try:
                await asyncio.wait_for(news.wait(), left)
            except TimeoutError:
                break
        if wait and (early := self._rested - time.monotonic()) > 0:
            await asyncio.sleep(early)
        report = self._report(after if changes else None)
        told = len(report.environments) if report.partial else 1
        self._rested = time.monotonic() + min(GATHER * max(told, 1), LONGEST_GATHER)
        return report

    def _report(self, after: int | None) -> Report:
        partial = after is not None and self._whole_since <= after < self._sequence
        return Report(
            node=self._node,
            generation=self._generation,
            sequence=self._sequence,
            partial=partial,
            environments=[
                self._of(name, environment)
                for name, environment in self._environments.items()
                if not partial or self._changed_at.get(name, 0) > (after or 0)
            ],
        )

    def _of(self, name: str, environment: Environment) -> EnvironmentReport:
        kept = environment.kept
        message = "is being removed" if kept.gone else ""
        if kept.parked and not kept.gone:
            message = "parked: no longer wished for, and kept until a person lets it go"
        return EnvironmentReport(
            environment=name,
            generation=kept.generation,
            instances=[self._instance(each) for each in environment.keepers.values()],
            routed=self._rotation.is_routed(name),
            parked=kept.parked,
            message=message,
            cut=kept.cut,
            lost=environment.lost,
            let_in=self._rotation.is_let_in(name),
        )

    def _instance(self, keeper: Keeper) -> InstanceReport:
        instance, running = keeper.instance, keeper.running
        usage, cpu = self._usage(keeper)
        return InstanceReport(
            id=instance.id,
            name=instance.name,
            environment=instance.environment,
            process=instance.process,
            release=instance.release,
            revision=instance.revision,
            state=instance.state,
            since=instance.since,
            started=instance.started,
            port=instance.port,
            pid=running.pid if running else None,
            in_rotation=instance.rotating,
            restarts=instance.restarts,
            crash_loop=is_crash_loop(instance, clock.now()),
            last_exit=instance.last_exit,
            message=instance.message,
            memory=usage.memory,
            cpu=cpu,
            limits=self._limits,
        )

    def _usage(self, keeper: Keeper) -> tuple[sandbox.Usage, float | None]:
        """Return what an instance uses, and its share of a core since it was measured before."""
        if keeper.running is None:
            self._measured.pop(keeper.instance.id, None)
            return sandbox.Usage(None, None, None), None
        now = time.monotonic()
        before = self._measured.get(keeper.instance.id)
        if before and now - before[0] < MEASURED_FOR:
            return before[1], before[2]
        usage = keeper.running.usage()
        cpu = None
        if before and usage.cpu_seconds is not None and before[1].cpu_seconds is not None:
            spent = usage.cpu_seconds - before[1].cpu_seconds
            cpu = round(max(spent, 0.0) / (now - before[0]), 4)
        self._measured[keeper.instance.id] = (now, usage, cpu)
        return usage, cpu

    def _take_numbers(self) -> None:
        with unit_of_work(self._tools.database) as uow:
            begin = int(node.fact(uow, "sequence", "0")) if not self._taken else self._sequence
            self._taken = begin + BLOCK
            node.note(uow, "sequence", str(self._taken))
        self._sequence = begin
