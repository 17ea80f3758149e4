"""An engine that only remembers: for tests and for trying things out."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Condition

from perron.contract.node import (
    EnvironmentReport,
    EnvironmentWish,
    Exit,
    InstanceReport,
    InstanceState,
    JobReport,
    JobSpec,
    JobState,
    NodeView,
    ProcessSet,
    Promise,
    Report,
    RouterCount,
    Traffic,
    WishDocument,
)
from perron.kit import clock, ids
from perron.kit.nodeclient import AgentRefused
from perron.kit.settings import Home


class MemoryEngine:
    """Holds what should run in memory, and says that it runs.

    ``sick`` names builds whose instances crash; ``failing`` and ``held`` name the beginnings
    of jobs that fail, and that never end; ``lost`` names builds that are here no more.
    ``counts`` is what visitors are said to have asked.
    """

    def __init__(self, home: Home | None = None) -> None:
        self.home = home
        self.sick: set[str] = set()
        self.failing: set[str] = set()
        self.held: set[str] = set()
        self.lost: set[str] = set()
        self.jobs: dict[str, JobReport] = {}
        self.specs: dict[str, JobSpec] = {}
        self.sources: set[str] = set()
        self.promises: list[Promise] = []
        self.counts = RouterCount(requests=0, lost={}, gaps=0)
        self.minutes: dict[str, list[int]] = {}
        self._changed = Condition()
        self._generation = 0
        self._sequence = 0
        self._started = clock.now()
        self._wishes: dict[str, EnvironmentWish] = {}
        self._seen: dict[str, int] = {}
        self._parked: set[str] = set()
        self._instances: dict[tuple[str, str, int, str, int], InstanceReport] = {}

    def apply(self, document: WishDocument) -> None:
        """Remember the wishes; park what a document leaves out without saying that it is gone."""
        with self._changed:
            if document.generation < self._generation:
                return
            self._generation = document.generation
            self._parked = {*self._wishes} - {wish.environment for wish in document.wishes}
            for wish in document.wishes:
                self._wishes[wish.environment] = wish
                self._seen[wish.environment] = document.generation
                self._make_true(wish)
            for environment in document.gone:
                self._forget(environment)
            self._step()

    def report(self, *, after: int | None = None, wait: float = 0.0) -> Report:
        """Say that everything runs as wished, but for what is sick."""
        with self._changed:
            if after is not None:
                self._changed.wait_for(lambda: self._sequence > after, wait)
            return Report(
                node="memory",
                generation=self._generation,
                sequence=self._sequence,
                environments=[self._environment(name) for name in self._wishes],
            )

    def let_go(self, environment: str) -> None:
        """End what was parked."""
        with self._changed:
            self._forget(environment)
            self._step()

    def node(self) -> NodeView:
        """Say that there is no machine behind this."""
        return NodeView(
            node="memory",
            tier="none",
            promises=self.promises,
            interpreters=[],
            disk_free=1 << 40,
            disk_total=1 << 40,
            edge="up",
            agent_version="memory",
            started=self._started,
        )

    def ask_job(self, name: str, spec: JobSpec) -> JobReport:
        """Say that the job is done, unless it was told to fail or to be held."""
        with self._changed:
            self.specs.setdefault(name, spec)
            self.jobs.setdefault(name, self._outcome(name))
            self.lost.discard(spec.output or "")
            self._changed.notify_all()
            return self.jobs[name]

    def job(self, name: str, *, wait: float = 0.0) -> JobReport:
        """Say how far a job came."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_running(name), wait)
            if name not in self.jobs:  # never asked for, or forgotten meanwhile
                raise AgentRefused(404, f"There is no job {name!r}.")
            return self.jobs[name]

    def cancel_job(self, name: str) -> None:
        """End a job that is held."""
        with self._changed:
            if name in self.jobs and self.jobs[name].state is JobState.RUNNING:
                self.jobs[name] = JobReport(job=name, state=JobState.CANCELLED)
            self._changed.notify_all()

    def release_jobs(self) -> None:
        """Let every held job end well."""
        with self._changed:
            self.held.clear()
            for name, report in self.jobs.items():
                if report.state is JobState.RUNNING:
                    self.jobs[name] = self._outcome(name)
            self._changed.notify_all()

    def put_source(self, digest: str, file: Path) -> None:
        """Remember that the source is here."""
        self.sources.add(digest)

    def has_build(self, identity: str) -> bool:
        """Say that every build is here, but for those said to be lost."""
        return identity not in self.lost

    def unused_builds(self, before: datetime) -> list[str]:
        """Name none: nothing here takes any room."""
        return []

    def drop_build(self, identity: str) -> None:
        """Forget a build."""
        self.lost.add(identity)

    def router_count(
        self, environment: str, *, since: datetime, until: datetime, release: int | None = None
    ) -> RouterCount:
        """Say what was set to be said."""
        return self.counts

    def traffic(self) -> Traffic:
        """Say what was set to be said."""
        return Traffic(minutes=self.minutes)

    def crash(self, environment: str, *, text: str = "exited with code 1") -> None:
        """Have every instance of an environment end and start again."""
        with self._changed:
            for key, each in self._instances.items():
                if key[0] == environment:
                    ended = Exit(at=clock.now(), code=1, text=text)
                    changed = {"last_exit": ended, "restarts": each.restarts + 1}
                    self._instances[key] = each.model_copy(update=changed)
            self._step()

    def _is_running(self, name: str) -> bool:
        return name in self.jobs and self.jobs[name].state is JobState.RUNNING

    def _outcome(self, name: str) -> JobReport:
        at = clock.now()
        if name.startswith(tuple(self.held)):
            return JobReport(job=name, state=JobState.RUNNING, started=at)
        if name.startswith(tuple(self.failing)):
            ended = Exit(at=at, code=1, text="exited with code 1")
            return JobReport(job=name, state=JobState.FAILED, exit=ended, started=at, finished=at)
        ended = Exit(at=at, code=0, text="ended well")
        return JobReport(job=name, state=JobState.SUCCEEDED, exit=ended, started=at, finished=at)

    def _make_true(self, wish: EnvironmentWish) -> None:
        wished = {
            (wish.environment, each.process, each.release, each.revision, index): each
            for each in wish.sets
            for index in range(1, each.count + 1)
        }
        for key in [k for k in self._instances if k[0] == wish.environment and k not in wished]:
            del self._instances[key]
        for key, each in wished.items():
            known = self._instances.get(key)
            self._instances[key] = self._instance(wish.environment, each, key[4], known)

    def _instance(
        self, environment: str, wished: ProcessSet, index: int, known: InstanceReport | None
    ) -> InstanceReport:
        well = wished.build not in self.sick
        if known is not None:
            return known.model_copy(update={"in_rotation": well and wished.serving})
        at = clock.now()
        return InstanceReport(
            id=ids.new("ins"),
            name=f"{wished.process}.{index}",
            environment=environment,
            process=wished.process,
            release=wished.release,
            revision=wished.revision,
            state=InstanceState.HEALTHY if well else InstanceState.CRASHED,
            since=at,
            started=at,
            in_rotation=well and wished.serving and wished.process == "web",
            crash_loop=not well,
            last_exit=None if well else Exit(at=at, code=1, text="exited with code 1"),
        )

    def _environment(self, name: str) -> EnvironmentReport:
        return EnvironmentReport(
            environment=name,
            generation=self._seen[name],
            instances=list(self._of(name)),
            routed=True,
            parked=name in self._parked,
            let_in=True,
            lost=sorted({each.build for each in self._wishes[name].sets} & self.lost),
        )

    def _of(self, environment: str) -> Iterable[InstanceReport]:
        return (each for key, each in self._instances.items() if key[0] == environment)

    def _forget(self, environment: str) -> None:
        self._wishes.pop(environment, None)
        self._seen.pop(environment, None)
        for key in [key for key in self._instances if key[0] == environment]:
            del self._instances[key]

    def _step(self) -> None:
        self._sequence += 1
        self._changed.notify_all()
