"""Hands every wish to the engine when one has changed, and takes in what the engine sees."""

import logging
from threading import Event, Thread

from perron.contract.node import EnvironmentReport, EnvironmentWish, Report, WishDocument
from perron.kit import bell, spine
from perron.kit.db import Database, UnitOfWork, reading, unit_of_work
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.settings import Home
from perron.kit.spine import Place

from . import registry, service, store
from .model import Sighting, Told, news

log = logging.getLogger(__name__)

RESYNC = 10.0
AGAIN = 0.25


class Controller:
    """Two loops of one home: one pushes wishes, the other listens for reports."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._home = home
        self._sight = service.sight_of(home)
        self._opened: dict[str, tuple[int, EnvironmentWish]] = {}
        self._pushed: tuple[int, int | None] = (-1, None)
        self._known: dict[str, Sighting] | None = None
        self._told: Report | None = None  # what is known is from

    def run(self, stop: Event) -> None:
        """Push and listen until told to stop."""
        listener = Thread(target=self._listen, args=(stop,), daemon=True, name="reports")
        listener.start()
        while not stop.is_set():
            heard = bell.heard()
            if self._attempt_push():
                bell.wait(heard, RESYNC)
            else:
                stop.wait(AGAIN)

    def push(self) -> None:
        """Hand over the whole document, if the engine has not heard the newest generation."""
        generation = self._newest()
        report = self._sight.report
        if report is not None and report.generation > generation:
            self._overtake(report.generation)
            generation = self._newest()
        behind = report is not None and report.generation < generation
        # An agent of another version may know what the one before did without.
        version = report.version if report else None
        if (generation, version) == self._pushed and not behind:
            return
        document = self._document()
        registry.engine_of(self._home).apply(document)
        self._pushed = (document.generation, version)

    def listen_once(self, *, wait: float = 0.0) -> None:
        """Take in one report; with ``wait``, the next one."""
        before = self._sight.report
        report = registry.engine_of(self._home).report(
            after=before.sequence if before and wait else None, wait=wait
        )
        self._sight.renew(report)
        self._understood("reports")
        if before is None or before.sequence != report.sequence:
            self._tell(report)
            bell.ring()

    def _attempt_push(self) -> bool:
        try:
            self.push()
            self._understood("wishes")
        except AgentAway:
            self._pushed = (-1, None)
            return False
        except AgentRefused as no:
            self._refused("wishes", no)
            return False
        except Exception:
            log.exception("Pushing the wishes failed and is tried again.")
            return False
        return True

    def _listen(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.listen_once(wait=RESYNC)
            except AgentAway:
                stop.wait(AGAIN)
            except AgentRefused as no:
                self._refused("reports", no)
                stop.wait(1.0)
            except Exception:
                log.exception("A report could not be taken in; the next one may.")
                stop.wait(1.0)

    def _refused(self, what: str, no: AgentRefused) -> None:
        """Keep why the agent says no, and say it once."""
        if self._sight.refusals.get(what) != no.detail:
            log.error("The agent and its %s: %s", what, no.detail)
        self._sight.refusals[what] = no.detail

    def _understood(self, what: str) -> None:
        self._sight.refusals.pop(what, None)

    def _newest(self) -> int:
        with reading(self._database) as uow:
            return store.newest_generation(uow)

    def _overtake(self, generation: int) -> None:
        """Go on above what the agent heard: the state was restored from a backup."""
        log.warning("The agent has heard generation %d before: going on above it.", generation)
        with unit_of_work(self._database) as uow:
            store.raise_floor(uow, generation + 1)

    def _document(self) -> WishDocument:
        with reading(self._database) as uow:
            generations = store.generations(uow)
            changed = [
                name
                for name, generation in generations.items()
                if self._opened.get(name, (None,))[0] != generation
            ]
            for each in store.those(uow, changed) if changed else ():
                self._opened[each.environment] = (each.generation, each.wish)
            newest, gone = store.newest_generation(uow), store.all_gone(uow)
        self._opened = {name: self._opened[name] for name in generations}
        wishes = [wish for _, wish in self._opened.values()]
        return WishDocument(generation=newest, wishes=wishes, gone=gone)

    def _tell(self, report: Report) -> None:
        """Write down what happened to instances, once each; what is as it was costs nothing."""
        known = self._sightings()
        before = {id(each) for each in self._told.environments} if self._told else set()
        fresh = [each for each in report.environments if id(each) not in before]
        found = [(place, *news(known, place)) for place in fresh]
        lost = known.keys() - {each.id for all in report.environments for each in all.instances}
        seen = [each for _, _, remembered in found for each in remembered]
        if lost or seen:
            self._known = None  # until it is written
            with unit_of_work(self._database) as uow:
                store.forget_sightings(uow, [*lost])
                store.remember(uow, seen)
                for place, told, _ in found:
                    for _, what in told:
                        self._record(uow, place, what)
            kept = {name: each for name, each in known.items() if name not in lost}
            self._known = kept | {each.instance: each for each in seen}
        self._told = report

    def _sightings(self) -> dict[str, Sighting]:
        """Return what is written down of every instance; nobody else writes it."""
        if self._known is None:
            self._told = None
            with reading(self._database) as uow:
                self._known = store.all_sightings(uow)
        return self._known

    def _record(self, uow: UnitOfWork, place: EnvironmentReport, what: Told) -> None:
        known = self._opened.get(place.environment)
        wish = known[1] if known else None
        if wish is None and (found := store.find(uow, place.environment)):
            wish = found.wish
        of = Place(environment=place.environment)
        if wish is not None:
            of = Place(wish.team, wish.app, place.environment)
        spine.record(uow, what, subject=what.instance, of=of)


def run(database: Database, home: Home, stop: Event) -> None:
    """Go on until told to stop."""
    Controller(database, home).run(stop)
