"""Leads visitors to instances: tells the edge who serves, and lets those who leave be drained."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Literal, cast

from perron.agent.edge import Backend, Edge, Target
from perron.contract.node import EnvironmentWish, HealthCheck, InstanceState

from .environments import Environment
from .keeper import Keeper
from .model import (
    FAILURES_TO_LEAVE,
    FAILURES_TO_RESTART,
    LEAVING,
    RUNNING,
    WEB,
    is_as_wished,
    page,
    rotation,
)

GLANCE = 0.1  # seconds between looks at what is in flight, while somebody is being drained
log = logging.getLogger("perron.agent")
Page = Literal["empty", "stopped", "starting", "crashed"]


class Rotation:
    """What the edge was told last, and what it says of it."""

    def __init__(
        self,
        edge: Edge,
        environments: Mapping[str, Environment],
        cut: Callable[[str, int], None],
    ) -> None:
        self.stale = True
        self._moved: set[str] = set()
        self._edge = edge
        self._environments = environments
        self._cut = cut
        self._backends: dict[str, Backend] = {}
        self._told: dict[str, Backend] = {}
        self._turning = asyncio.Lock()
        self._drains: dict[str, asyncio.Task[None]] = {}
        self._down: dict[str, float] = {}
        self._restarts: set[asyncio.Task[None]] = set()

    async def turn(self, changed: Collection[str]) -> list[str]:
        """Bring the edge up to date; return the environments whose rotation changed by it."""
        async with self._turning:
            looked_at = list(self._environments) if self.stale else list(changed)
            for name in looked_at:
                self._plan(name)
            if self.stale or self._backends != self._told:
                told = dict(self._backends)
                await self._edge.apply(list(told.values()))
                self._moved |= self._differing(told)
                self._told, self.stale = told, False
            return [name for name in looked_at if self._note(name)]

    def take_moved(self) -> set[str]:
        """Return of which environments the edge was told something new since last asked."""
        moved, self._moved = self._moved, set()
        return moved

    def forget(self, name: str) -> None:
        """Drop what was kept of an environment that has ended."""
        self._backends.pop(name, None)

    def is_routed(self, name: str) -> bool:
        """Say whether the edge leads an environment's visitors exactly as wished."""
        environment = self._environments[name]
        current = not self.stale and self._told.get(name) == self._backends.get(name)
        return current and is_as_wished(environment.wish, environment.instances)

    def is_let_in(self, name: str) -> bool:
        """Say whether the edge lets visitors in as wished, whoever serves them then."""
        told = None if self.stale else self._told.get(name)
        return told is not None and _entrance(told) == _entrance(backend(self._environments[name]))

    async def look(self) -> None:
        """Hear what the edge's checks say; start again who stays unwell too long."""
        states = await self._edge.states()
        now = time.monotonic()
        for environment in self._environments.values():
            for keeper in environment.keepers.values():
                state = states.get(keeper.instance.id)
                if keeper.instance.state not in RUNNING or not keeper.instance.rotating:
                    self._down.pop(keeper.instance.id, None)
                elif state is not None:
                    self._judge(keeper, state.up, now)

    def _judge(self, keeper: Keeper, up: bool, now: float) -> None:
        id, check = keeper.instance.id, keeper.made_of.health
        keeper.seen(well=up)
        if up:
            self._down.pop(id, None)
            return
        since = self._down.setdefault(id, now)
        patience = (FAILURES_TO_RESTART - FAILURES_TO_LEAVE) * check.interval
        if now - since >= patience:
            self._down.pop(id)
            why = f"failed its health check {FAILURES_TO_RESTART} times; restarted"
            task = asyncio.create_task(keeper.restart(why))
            self._restarts.add(task)
            task.add_done_callback(self._restarts.discard)

    def _differing(self, told: Mapping[str, Backend]) -> set[str]:
        if self.stale:
            return set(self._environments)
        return {name for name in told if told[name] != self._told.get(name)}

    def _plan(self, name: str) -> None:
        environment = self._environments.get(name)
        if environment is None or environment.kept.gone:
            self._backends.pop(name, None)
        else:
            self._backends[name] = backend(environment)

    def _note(self, name: str) -> bool:
        """Tell each keeper whether it is in rotation now, and begin to drain who leaves."""
        environment = self._environments.get(name)
        if environment is None:
            return False
        told = self._told.get(name)
        serving = {each.name for each in told.targets if each.serving} if told else set()
        turned = False
        for keeper in environment.keepers.values():
            id = keeper.instance.id
            turned |= (id in serving) != keeper.instance.rotating
            keeper.rotate(id in serving)
            if keeper.instance.state == InstanceState.DRAINING and id not in serving:
                self._drain(keeper)
        return turned

    def _drain(self, keeper: Keeper) -> None:
        id = keeper.instance.id
        if id not in self._drains and not keeper.drained.is_set():
            task = asyncio.create_task(self._until_drained(keeper), name=f"drain {id}")
            self._drains[id] = task
            task.add_done_callback(lambda _: self._drains.pop(id, None))

    async def _until_drained(self, keeper: Keeper) -> None:
        """Wait until nothing is in flight; when that takes too long, close and count it."""
        id, until = keeper.instance.id, time.monotonic() + keeper.made_of.drain_timeout
        try:
            while await self._in_flight(id):
                if time.monotonic() >= until:
                    self._cut(keeper.instance.environment, await self._edge.close(id))
                    break
                await asyncio.sleep(GLANCE)
        except Exception as why:  # an edge that is down carries nobody
            log.info("Draining %s ends early: %s", keeper.instance.name, why)
        finally:
            keeper.drained.set()

    async def _in_flight(self, target: str) -> int:
        return (await self._edge.in_flight()).get(target, 0)


def backend(environment: Environment) -> Backend:
    """Return how visitors shall be led to an environment now."""
    wish = environment.wish
    serving = rotation(wish, environment.instances)
    targets = tuple(
        _target(keeper, wish.app_name, serving=keeper.instance.id in serving)
        for keeper in environment.keepers.values()
        if not keeper.over and _is_led_to(keeper, serving)
    )
    return Backend(
        environment=wish.environment,
        hosts=tuple(wish.hosts),
        targets=targets,
        health=_check_of(wish),
        sticky=wish.sticky,
        maintenance=wish.maintenance,
        page=cast(Page, page(wish, environment.instances)),
        user=wish.user,
        password=wish.password,
        max_body=wish.max_body,
        idle_timeout=wish.idle_timeout,
        log_queries=wish.log_queries,
        certificates=tuple(wish.certificates),
    )


def _entrance(led: Backend) -> Backend:
    """Return what is the same whichever instances are led to."""
    return replace(led, targets=(), page="empty", health=HealthCheck())


def _check_of(wish: EnvironmentWish) -> HealthCheck:
    """Return the check of what serves: a release on its way in must not judge the one before."""
    web = [each for each in wish.sets if each.process == WEB]
    serving = [each for each in web if each.serving] or web
    return serving[-1].health if serving else HealthCheck()


def _is_led_to(keeper: Keeper, serving: Collection[str]) -> bool:
    """Whoever serves, and whoever did and may still have visitors."""
    instance = keeper.instance
    if instance.id in serving:
        return True
    return keeper.served and instance.state in RUNNING | LEAVING


def _target(keeper: Keeper, app: str, *, serving: bool) -> Target:
    instance = keeper.instance
    return Target(
        name=instance.id,
        label=f"{app}.v{instance.release}.{instance.name}",
        port=instance.port or 0,
        serving=serving,
        release=instance.release,
        instance=instance.name,
    )
