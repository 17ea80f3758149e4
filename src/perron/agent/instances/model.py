"""What the agent decides about instances: which begin, which leave, who gets visitors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from perron.contract.node import EnvironmentWish, Exit, HealthCheck, InstanceState, ProcessSet

WEB = "web"  # the one process type that is routed
LEAVING = frozenset({InstanceState.DRAINING, InstanceState.STOPPING})
RUNNING = frozenset({InstanceState.HEALTHY, InstanceState.UNHEALTHY})
FALLEN = frozenset({InstanceState.BACKOFF, InstanceState.CRASHED})

FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
CALM = timedelta(seconds=60)  # up for so long, an instance starts its back-off anew
LOOP_WITHIN = timedelta(minutes=5)
LOOP_CRASHES = 3
FAILURES_TO_LEAVE = 3  # of its check: the edge takes an instance out of rotation
FAILURES_TO_RESTART = 6  # of its check: the agent starts it again

Place = tuple[str, int, str, int]


@dataclass(frozen=True)
class Instance:
    """One instance as the agent knows it; ``rotating``: the edge was told to send visitors."""

    id: str
    environment: str
    process: str
    release: int
    revision: str
    number: int
    port: int | None
    state: InstanceState
    since: datetime
    started: datetime | None = None
    rotating: bool = False
    restarts: int = 0
    crashes: tuple[datetime, ...] = ()
    streak: int = 0
    last_exit: Exit | None = None
    message: str = ""

    @property
    def name(self) -> str:
        """What people call it, such as ``web.1``."""
        return f"{self.process}.{self.number}"

    @property
    def place(self) -> Place:
        """What it is an instance of."""
        return (self.process, self.release, self.revision, self.number)

    @property
    def is_routed(self) -> bool:
        """Whether visitors can reach it at all."""
        return self.process == WEB

    def at(self, state: InstanceState, now: datetime, message: str = "") -> "Instance":
        """Return it in another state; ``since`` moves only when the state does."""
        since = self.since if state == self.state else now
        return replace(self, state=state, since=since, message=message)


@dataclass(frozen=True)
class Begin:
    """Make an instance where one is wished for and none is."""

    set: ProcessSet
    number: int


@dataclass(frozen=True)
class Leave:
    """End an instance that is not wished for; ``drain``: visitors may finish first."""

    instance: str
    drain: bool


Action = Begin | Leave


def decide(wish: EnvironmentWish, instances: Sequence[Instance]) -> list[Action]:
    """Return what to do next so that exactly the wished instances run.

    The law: the last instances with visitors leave only when the wished ones have taken over,
    unless nothing is wished for there, or the process type asks to be stopped first.
    """
    wanted = wanted_places(wish)
    staying = {each.place for each in instances if each.state not in LEAVING}
    actions: list[Action] = [
        Leave(each.id, drain=each.is_routed and each.state in RUNNING)
        for each in instances
        if each.place not in wanted
        and each.state not in LEAVING
        and _may_leave(wish, instances, each)
    ]
    for place, each in wanted.items():
        if place not in staying and _may_begin(each, instances):
            actions.append(Begin(each, place[3]))
    return actions


def wanted_places(wish: EnvironmentWish) -> dict[Place, ProcessSet]:
    """Return every place a wish wants filled, with the set it belongs to."""
    return {
        (each.process, each.release, each.revision, number): each
        for each in wish.sets
        for number in range(1, each.count + 1)
    }


def rotation(wish: EnvironmentWish, instances: Sequence[Instance]) -> frozenset[str]:
    """Return which instances visitors shall be led to."""
    serving = _serving_places(wish)
    relieved = _is_relieved(wish, instances)
    return frozenset(
        each.id
        for each in instances
        if each.is_routed
        and each.state in RUNNING
        and (each.place in serving or (each.rotating and not relieved))
    )


def is_as_wished(wish: EnvironmentWish, instances: Sequence[Instance]) -> bool:
    """Say whether visitors are led exactly as wished, and nobody is being drained."""
    routed = [each for each in instances if each.is_routed]
    if any(each.state in LEAVING for each in routed):
        return False
    return {each.place for each in routed if each.rotating} == set(_serving_places(wish))


def page(wish: EnvironmentWish, instances: Sequence[Instance]) -> str:
    """Return which page visitors see while no instance can answer them."""
    wanted = wanted_places(wish)
    states = [each.state for each in instances if each.is_routed and each.place in wanted]
    if any(state in FALLEN for state in states):
        return "crashed"
    if any(place[0] == WEB for place in wanted):
        return "starting"
    return wish.page


def crashed(instance: Instance, ending: Exit, now: datetime) -> Instance:
    """Return an instance after an end nobody asked for: it waits, longer each time."""
    calm = instance.started is not None and now - instance.started >= CALM
    recent = tuple(at for at in instance.crashes if now - at < LOOP_WITHIN)
    after = replace(
        instance,
        crashes=(*recent, now),
        streak=1 if calm else instance.streak + 1,
        restarts=instance.restarts + 1,
        last_exit=ending,
        started=None,
        rotating=False,
    )
    state = InstanceState.CRASHED if is_crash_loop(after, now) else InstanceState.BACKOFF
    return after.at(state, now, ending.text)


def delay(instance: Instance) -> float:
    """Return for how many seconds a fallen instance waits before it starts again."""
    doublings = min(max(instance.streak - 1, 0), 16)
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2**doublings))


def is_crash_loop(instance: Instance, now: datetime) -> bool:
    """Say whether an instance falls again and again."""
    return sum(now - at < LOOP_WITHIN for at in instance.crashes) >= LOOP_CRASHES


def is_well(status: int, *, strict: bool) -> bool:
    """Say whether an answer to a health check is a good one."""
    return 200 <= status < (400 if strict else 500)


def check_of(each: ProcessSet) -> HealthCheck:
    """Return how instances of a set are checked; what has no port is well when it stays up."""
    if each.process == WEB or each.health.kind == "up":
        return each.health
    return each.health.model_copy(update={"kind": "up"})


def in_words(seconds: float) -> str:
    """Return a duration as people say it: ``0.5 s``, ``2 s``."""
    return f"{seconds:g} s"


def _may_begin(each: ProcessSet, instances: Sequence[Instance]) -> bool:
    if not each.stop_first:
        return True
    return not any(
        other.process == each.process
        and (other.state in LEAVING or other.place[1:3] != (each.release, each.revision))
        for other in instances
    )


def _may_leave(wish: EnvironmentWish, instances: Sequence[Instance], leaver: Instance) -> bool:
    if not leaver.rotating or leaver.state not in RUNNING:
        return True
    if any(each.stop_first and each.process == leaver.process for each in wish.sets):
        return True
    return _is_relieved(wish, instances)


def _serving_places(wish: EnvironmentWish) -> dict[Place, ProcessSet]:
    return {
        place: each
        for place, each in wanted_places(wish).items()
        if each.serving and each.process == WEB
    }


def _is_relieved(wish: EnvironmentWish, instances: Sequence[Instance]) -> bool:
    """Say whether those who shall serve do; who keeps falling is not waited for."""
    serving = _serving_places(wish)
    here = [each for each in instances if each.place in serving and each.state not in LEAVING]
    settled = len(here) == len(serving) and not any(
        each.state == InstanceState.STARTING for each in here
    )
    return not serving or (settled and any(each.rotating for each in here))
