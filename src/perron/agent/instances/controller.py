"""Makes wishes true: looks at what runs, does what is next, looks again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.exc import OperationalError

from perron.agent import store as node
from perron.agent.store import Kept
from perron.contract.node import EnvironmentWish, InstanceState, ProcessSet, WishDocument
from perron.kit import clock, ids
from perron.kit.db import unit_of_work
from perron.kit.problems import Conflict, NotFound, Temporary

from . import store
from .environments import Environment
from .keeper import Keeper
from .model import WEB, Begin, Instance, Leave, decide, wanted_places
from .reports import Reports
from .rotation import Rotation
from .stopping import end_strangers
from .tools import Tools

RESYNC = 5.0
LONGEST_BREATH = 0.3
Farewell = Callable[[str], Awaitable[None]]
log = logging.getLogger("perron.agent")


class OlderWishes(Conflict):
    """The document is older than one this agent heard; ``heard`` is that one's generation."""


class StillWished(Conflict):
    """An environment that is wished for cannot be let go."""


class Instances:
    """Everything that runs on this node until it is no longer wished for.

    All methods belong to the agent's loop. ``farewell`` is awaited when nothing of an
    environment runs any more and its files shall go.
    """

    def __init__(self, tools: Tools, farewell: Farewell) -> None:
        self._tools = tools
        self._farewell = farewell
        self._environments: dict[str, Environment] = {}
        self._changed: set[str] = set()
        self._woken = asyncio.Event()
        self._generation = 0
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._rotation = Rotation(tools.edge, self._environments, self._count_cut)
        self.reports = Reports(tools, self._environments, self._rotation)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take up every wish and every instance this node knows of, then keep them."""
        with unit_of_work(self._tools.database) as uow:
            self._generation = int(node.fact(uow, "generation", "0"))
            kept = node.kept(uow, self._tools.sealer)
            known = store.everyone(uow, self._tools.sealer)
        self.reports.open(self._generation)
        await end_strangers(self._tools, {each.id for each, _ in known})
        self._environments.update({name: Environment(each) for name, each in kept.items()})
        for instance, made_of in known:
            if environment := self._environments.get(instance.environment):
                wanted = wanted_places(environment.wish).get(instance.place, made_of)
                self._keeper(environment, instance, wanted).adopt()
        self._changed.update(self._environments)
        self._woken.set()
        self._tasks = [
            asyncio.create_task(self._tend(), name="instances"),
            asyncio.create_task(self._look_around(), name="instances, every few seconds"),
        ]

    async def close(self) -> None:
        """Stop keeping; every instance goes on without us."""
        for task in (*self._tasks, *self._ending.values()):
            task.cancel()
        for environment in self._environments.values():
            for keeper in environment.keepers.values():
                keeper.pause()
        self._tools.ledger.write()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hear(self, document: WishDocument) -> None:
        """Keep what is wished for, and park what is no longer named."""
        if document.generation < self._generation:
            raise OlderWishes(
                f"This node heard generation {self._generation} already; "
                f"{document.generation} is older. Count on from there.",
                heard=self._generation,
            )
        changed, confirmed = self._compare(document)
        with unit_of_work(self._tools.database) as uow:
            node.keep(uow, self._tools.sealer, changed)
            node.confirm(uow, confirmed, document.generation)
            node.note(uow, "generation", str(document.generation))
        self._generation = document.generation
        for name in confirmed:
            known = self._environments[name]
            known.kept = replace(known.kept, generation=document.generation)
        for name, kept in changed.items():
            self._take(name, kept)
        self.reports.heard(document.generation)
        self._wake(*changed)

    def let_go(self, name: str) -> None:
        """End a parked environment: a person said so."""
        environment = self._environments.get(name)
        if environment is None:
            raise NotFound(f"Nothing is parked here as {name[:60]!r}.")
        if not environment.kept.parked:
            raise StillWished("This environment is wished for: destroy it instead.")
        kept = replace(environment.kept, gone=True)
        with unit_of_work(self._tools.database) as uow:
            node.keep(uow, self._tools.sealer, {name: kept})
        self._take(name, kept)
        self._wake(name)

    def find(self, instance: str) -> Keeper:
        """Return who keeps an instance, or raise NotFound."""
        for environment in self._environments.values():
            if keeper := environment.keepers.get(instance):
                return keeper
        raise NotFound(f"There is no instance {instance[:60]!r} on this node.")

    def mounting(self, environment: str, volume: str) -> list[str]:
        """Name the instances that run here, or are about to, with a volume."""
        known = self._environments.get(environment)
        keepers = known.keepers.values() if known else ()
        return sorted(
            each.instance.name
            for each in keepers
            if any(mount.name == volume for mount in each.made_of.volumes)
        )

    def builds(self) -> set[str]:
        """Return the builds that anything here runs or shall run, parked or not."""
        return {build for each in self._environments.values() for build in each.builds}

    def _compare(self, document: WishDocument) -> tuple[dict[str, Kept], list[str]]:
        """Return the wishes to write anew, and the environments that are wished for unchanged."""
        changed: dict[str, Kept] = {}
        confirmed: list[str] = []
        wished = {each.environment: each for each in document.wishes}
        for name, wish in wished.items():
            known = self._environments.get(name)
            if known and known.wish == wish and not (known.kept.parked or known.kept.gone):
                confirmed.append(name)
            else:
                cut = known.kept.cut if known else 0
                changed[name] = Kept(wish, document.generation, cut=cut)
        for name, environment in self._environments.items():
            if name in document.gone and name not in wished:
                changed[name] = replace(environment.kept, gone=True, generation=document.generation)
            elif name not in wished and not (environment.kept.parked or environment.kept.gone):
                changed[name] = replace(environment.kept, parked=True)
        for name in set(document.gone) - set(wished) - set(self._environments):
            changed[name] = Kept(_nothing(name), document.generation, gone=True)
        return changed, confirmed

    def _take(self, name: str, kept: Kept) -> None:
        environment = self._environments.setdefault(name, Environment(kept))
        environment.kept = kept
        places = wanted_places(kept.wish)
        for keeper in environment.keepers.values():
            keeper.made_of = places.get(keeper.instance.place, keeper.made_of)

    def _wake(self, *environments: str) -> None:
        self._changed.update(environments)
        self.reports.changed(environments)
        self._woken.set()

    async def _tend(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            changed, self._changed = self._changed, set()
            for name in changed:
                self._try_to_act(name)
            began = time.monotonic()
            await self._route(changed)
            if moved := self._rotation.take_moved():
                self.reports.changed(moved)
            # When much happens at once, this takes a quarter of the time at most.
            await asyncio.sleep(min(3 * (time.monotonic() - began), LONGEST_BREATH))

    def _try_to_act(self, name: str) -> None:
        """Do what is next; what fails, as on a full disk, is tried again in a few seconds."""
        try:
            if environment := self._environments.get(name):
                self._act(name, environment)
        except OperationalError as why:
            log.warning(
                "%s waits, as node.db cannot be written now (make room): %s", name, why.orig
            )

    async def _route(self, changed: set[str]) -> None:
        """Tell the edge; who is in rotation now may let others leave, so look again."""
        self._tools.ledger.write()  # an agent after us must lead visitors no other way
        try:
            if turned := await self._rotation.turn(changed):
                self._wake(*turned)
        except Exception:  # whatever it is: the next look, in a few seconds, tries again
            self._rotation.stale = True
            log.exception("The edge could not be told who serves; trying again.")

    def _act(self, name: str, environment: Environment) -> None:
        environment.keepers = {
            id: keeper for id, keeper in environment.keepers.items() if not keeper.over
        }
        if environment.kept.gone:
            self._see_off(name, environment)
            return
        if environment.look_for_builds(self._tools.builds):
            self.reports.changed([name])
        for action in decide(environment.wish, environment.instances):
            match action:
                case Begin(made_of, number):
                    self._begin(environment, made_of, number)
                case Leave(instance, drain):
                    environment.keepers[instance].leave(drain=drain)

    def _begin(self, environment: Environment, made_of: ProcessSet, number: int) -> None:
        id = ids.new("ins")
        try:
            port = self._tools.places.claim_port(id) if made_of.process == WEB else None
        except Temporary as why:
            self._tools.logs.say(environment.wish.environment, f"No instance started: {why}")
            return  # looked at again with everything else, in a few seconds
        instance = Instance(
            id=id,
            environment=environment.wish.environment,
            process=made_of.process,
            release=made_of.release,
            revision=made_of.revision,
            number=number,
            port=port,
            state=InstanceState.STARTING,
            since=clock.now(),
        )
        with unit_of_work(self._tools.database) as uow:
            store.add(uow, self._tools.sealer, instance, made_of)
        self._keeper(environment, instance, made_of).begin()

    def _keeper(self, environment: Environment, instance: Instance, made_of: ProcessSet) -> Keeper:
        keeper = Keeper(
            self._tools, instance, made_of, lambda: environment.wish, lambda name: self._wake(name)
        )
        environment.keepers[instance.id] = keeper
        return keeper

    def _see_off(self, name: str, environment: Environment) -> None:
        """End what runs of an environment that is gone; then its files go."""
        for keeper in environment.keepers.values():
            if keeper.instance.state != InstanceState.STOPPING:
                keeper.leave(drain=False)
        busy = self._ending.get(name)
        if not environment.keepers and (busy is None or busy.done()):
            self._ending[name] = asyncio.create_task(self._remove(name), name=f"end {name}")

    async def _remove(self, name: str) -> None:
        try:
            await self._rotation.turn({name})
            await self._farewell(name)
        except Exception:  # looked at again in a few seconds
            log.exception("What is left of %s could not be removed; trying again.", name)
            return
        if not self._environments[name].kept.gone:
            return  # somebody wished for it again in the meantime
        with unit_of_work(self._tools.database) as uow:
            node.drop(uow, name)
        self._environments.pop(name, None)
        self._ending.pop(name, None)
        self._rotation.forget(name)
        self.reports.changed_everywhere()
        self._woken.set()

    def _count_cut(self, name: str, requests: int) -> None:
        """Count requests that a drain time-out closed, for as long as the environment is here."""
        if requests and (environment := self._environments.get(name)):
            kept = environment.kept
            environment.kept = replace(kept, cut=kept.cut + requests)
            with unit_of_work(self._tools.database) as uow:
                node.keep(uow, self._tools.sealer, {name: environment.kept})
            text = f"{requests} requests were still in flight after the drain time-out; closed"
            self._tools.logs.say(name, text)

    async def _look_around(self) -> None:
        """Every few seconds: what the edge's checks say, lost workers, whatever was missed."""
        while True:
            began = time.monotonic()
            try:
                self._tools.ledger.write()
                await self._rotation.look()
                for environment in self._environments.values():
                    for keeper in environment.keepers.values():
                        keeper.look_for_lost_workers()
            except Exception:  # a look that fails is made up for by the next
                log.exception("Not everything could be looked at; looking again.")
            self._changed.update(self._environments)
            self._woken.set()
            await asyncio.sleep(max(RESYNC - (time.monotonic() - began), 1.0))


def _nothing(environment: str) -> EnvironmentWish:
    """Return the wish for nothing: what an environment had that was never deployed."""
    return EnvironmentWish(
        environment=environment,
        app="",
        team="",
        app_name="",
        environment_name="",
        hosts=[],
        sets=[],
    )
