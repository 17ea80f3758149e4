"""What can be done with wishes and jobs, and what is seen of them."""

import time
from dataclasses import dataclass, field
from threading import Lock, Thread

from perron.contract.node import (
    EnvironmentReport,
    EnvironmentWish,
    JobReport,
    JobSpec,
    JobState,
    NodeView,
    Report,
    Traffic,
)
from perron.kit import bell, clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import Permanent, Temporary, Unavailable
from perron.kit.settings import Home
from perron.kit.spine import Place
from perron.kit.whereabouts import home_of

from . import registry, store
from .model import (
    STALE_AFTER,
    Acceptance,
    RiskAccepted,
    RiskRefused,
    Wish,
    WishRefused,
    check_risk,
    is_as_wished,
    why_one_team,
)
from .ports import Engine

PATIENCE = 120.0
NODE_AGAIN = 60.0  # seconds until a node is asked again what it promises: it hardly ever changes
TRAFFIC_AGAIN = 5.0
FINISHED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass
class Sight:
    """The newest report of a home's engine, and when it came; nothing of it needs keeping.

    ``refusals``: why the engine will not hear wishes, or cannot be understood, while that lasts.
    """

    report: Report | None = None
    by_environment: dict[str, EnvironmentReport] = field(default_factory=dict)
    at: float = 0.0
    node: NodeView | None = None
    node_at: float = 0.0
    traffic: Traffic | None = None
    traffic_at: float = 0.0
    refusals: dict[str, str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def renew(self, report: Report) -> None:
        """Take a newer report in."""
        with self.lock:
            self.report, self.at = report, time.monotonic()
            self.by_environment = {each.environment: each for each in report.environments}

    def fresh(self) -> Report | None:
        """Return the report unless it is too old to be called knowledge."""
        return self.report if time.monotonic() - self.at < STALE_AFTER else None


_sights: dict[Home, Sight] = {}
_watched: set[tuple[Home, str]] = set()


def sight_of(home: Home) -> Sight:
    """Return what is seen of a home's engine."""
    return _sights.setdefault(home, Sight())


def engine(uow: UnitOfWork) -> Engine:
    """Return the engine of this transaction's home."""
    return registry.engine_of(home_of(uow))


def node_of(home: Home) -> NodeView | None:
    """Return what the node is and promises, as it last told; None when it never did."""
    sight = sight_of(home)
    if sight.node is None or time.monotonic() - sight.node_at > NODE_AGAIN:
        try:
            node = registry.engine_of(home).node()
        except (AgentAway, AgentRefused):
            return sight.node
        sight.node, sight.node_at = node, time.monotonic()
    return sight.node


def traffic_of(home: Home) -> Traffic | None:
    """Return the requests of the last hour, at most a few seconds old; None is unknown."""
    sight = sight_of(home)
    if sight.fresh() is None:
        return None
    if time.monotonic() - sight.traffic_at > TRAFFIC_AGAIN:
        sight.traffic_at = time.monotonic()  # whoever comes meanwhile takes what there is
        try:
            sight.traffic = registry.engine_of(home).traffic()
        except (AgentAway, AgentRefused):
            sight.traffic = None
    return sight.traffic


def check_several_teams(uow: UnitOfWork) -> None:
    """Raise WishRefused where only one team may run apps, for somebody who would be another."""
    node = node_of(home_of(uow))
    if node is None:
        raise Unavailable(
            "It is not known yet what keeps apps of different teams apart on this machine: its "
            "agent has not answered. Try again in a moment."
        )
    if reason := why_one_team(node.promises, risks_accepted(uow)):
        raise WishRefused(reason)


def acceptances(uow: UnitOfWork) -> list[Acceptance]:
    """Return every risk that was accepted, by whom and when."""
    return store.accepted(uow)


def risks_accepted(uow: UnitOfWork) -> list[str]:
    """Return the names of the risks that were accepted."""
    return [each.risk for each in store.accepted(uow)]


def accept_risk(uow: UnitOfWork, risk: str) -> None:
    """Let several teams run apps although this is open between them; once is enough."""
    check_risk(risk)
    if risk not in risks_accepted(uow):
        store.accept(uow, Acceptance(risk, uow.actor or "perron", clock.now()))
        spine.record(uow, RiskAccepted(risk), subject="platform", of=Place())


def refuse_risk(uow: UnitOfWork, risk: str) -> None:
    """Take back that a risk was accepted; what runs goes on, and one team may deploy."""
    check_risk(risk)
    if store.refuse(uow, risk):
        spine.record(uow, RiskRefused(risk), subject="platform", of=Place())


def want(uow: UnitOfWork, wish: EnvironmentWish) -> Wish:
    """Wish that this runs for the environment, in place of anything wished before.

    Raises WishRefused once it was wished that nothing is left of the environment.
    """
    if store.is_gone(uow, wish.environment):
        raise WishRefused("The environment is being destroyed.")
    before = store.find(uow, wish.environment)
    if before and before.wish == wish:
        return before
    newer = Wish(wish.environment, store.newest_generation(uow) + 1, wish)
    store.save(uow, newer)
    return newer


def end(uow: UnitOfWork, environment: str) -> int:
    """Wish that nothing of the environment is left: no instance, file, volume or route."""
    generation = store.newest_generation(uow) + 1
    store.save_gone(uow, environment, generation)
    return generation


def is_ending(uow: UnitOfWork, environment: str) -> bool:
    """Say whether it was wished that nothing is left of the environment."""
    return store.is_gone(uow, environment)


def has_ended(uow: UnitOfWork, environment: str) -> bool:
    """Say whether the engine is seen to have nothing left of an environment that should end."""
    generation = store.generation_of(uow, environment)
    sight = sight_of(home_of(uow))
    report = sight.fresh()
    if report is None or generation is None or report.generation < generation:
        return False
    return environment not in sight.by_environment


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget an environment that has ended; no later generation is lower for that."""
    store.raise_floor(uow, store.newest_generation(uow) + 1)
    store.remove(uow, environment)


def find_wish(uow: UnitOfWork, environment: str) -> Wish | None:
    """Return what should run, if anything should."""
    return store.find(uow, environment)


def observed(uow: UnitOfWork, environment: str) -> EnvironmentReport | None:
    """Return what is seen of the environment; None is unknown, never nothing."""
    sight = sight_of(home_of(uow))
    return sight.by_environment.get(environment) if sight.fresh() else None


def observed_all(uow: UnitOfWork) -> dict[str, EnvironmentReport] | None:
    """Return what is seen of every environment; None is unknown."""
    sight = sight_of(home_of(uow))
    return sight.by_environment if sight.fresh() else None


def is_true(uow: UnitOfWork, environment: str) -> bool:
    """Say whether exactly what is wished now is seen to be true."""
    wish = store.find(uow, environment)
    return wish is not None and is_as_wished(observed(uow, environment), wish)


def ask_job(home: Home, name: str, spec: JobSpec) -> JobReport:
    """Have a job done once, and return how far it is; the bell rings when it ends.

    Raises Temporary while the engine is away, and Permanent when it refuses the job.
    """
    try:
        report = registry.engine_of(home).ask_job(name, spec)
    except AgentAway as away:
        raise Temporary(str(away)) from away
    except AgentRefused as no:
        raise Permanent(f"The job was refused: {no.detail}") from no
    if report.state not in FINISHED:
        _watch(home, name)
    return report


def cancel_job(home: Home, name: str) -> None:
    """End a job, if the engine knows it; while the engine is away that is tried again."""
    if not _is_cancelled(home, name):
        again = Thread(target=_until_cancelled, args=(home, name), daemon=True)
        again.start()


def _is_cancelled(home: Home, name: str) -> bool:
    try:
        registry.engine_of(home).cancel_job(name)
    except AgentAway:
        return False
    except AgentRefused as no:
        if no.status not in (404, 409):  # unknown, or over by now
            raise
    return True


def _until_cancelled(home: Home, name: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not _is_cancelled(home, name):
        time.sleep(0.5)


def _watch(home: Home, name: str) -> None:
    """Ring the bell when the job ends, so that no step has to ask again and again."""
    if (home, name) in _watched:
        return
    _watched.add((home, name))
    Thread(target=_until_ended, args=(home, name), daemon=True, name=f"job {name}").start()


def _until_ended(home: Home, name: str) -> None:
    try:
        while registry.engine_of(home).job(name, wait=20.0).state not in FINISHED:
            pass
    except (AgentAway, AgentRefused):
        time.sleep(0.2)  # the step asks again, and has it watched again
    finally:
        _watched.discard((home, name))
        bell.ring()
