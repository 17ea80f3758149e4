"""The promise every engine keeps, written as tests. Subclass it once for each engine."""

from collections.abc import Callable

from perron.contract.node import EnvironmentWish, HealthCheck, ProcessSet, WishDocument

from .model import Wish, is_as_wished
from .ports import Engine

Settle = Callable[[Callable[[], bool]], object]


def wish(
    environment: str, *, build: str, command: str, count: int = 1, revision: str = "1.1"
) -> EnvironmentWish:
    """Wish for instances of one worker."""
    return EnvironmentWish(
        environment=environment,
        app="app_promise",
        team="team_promise",
        app_name="promise",
        environment_name="production",
        hosts=[],
        sets=[
            ProcessSet(
                process="worker",
                release=1,
                revision=revision,
                build=build,
                command=command,
                count=count,
                health=HealthCheck(kind="up", up_for=0.1),
                stop_timeout=2.0,
            )
        ],
    )


class EnginePromise:
    """Inherit, and give an ``engine``, a ``build``, a ``command`` that stays, and a ``settle``."""

    def test_what_is_wished_is_seen(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """Three asked for, three seen, and the generation comes back."""
        wished = wish("env_a", build=build, command=command, count=3)
        hear(engine, settle, wished)
        assert len(seen(engine, "env_a")) == 3

    def test_hearing_twice_changes_nothing(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """The second call finds the work done."""
        wished = wish("env_a", build=build, command=command)
        hear(engine, settle, wished)
        before = seen(engine, "env_a")
        hear(engine, settle, wished)
        assert seen(engine, "env_a") == before

    def test_it_scales_up_and_down_and_keeps_what_stays(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """The first instance is the same all along."""
        hear(engine, settle, wish("env_a", build=build, command=command))
        first = seen(engine, "env_a")
        hear(engine, settle, wish("env_a", build=build, command=command, count=3))
        assert first < seen(engine, "env_a")
        hear(engine, settle, wish("env_a", build=build, command=command))
        assert seen(engine, "env_a") == first

    def test_another_revision_means_other_instances(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """A restart leaves none of the old ones."""
        hear(engine, settle, wish("env_a", build=build, command=command))
        before = seen(engine, "env_a")
        hear(engine, settle, wish("env_a", build=build, command=command, revision="1.2"))
        assert not before & seen(engine, "env_a")

    def test_what_is_left_out_is_parked_and_goes_on(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """An empty document stops nothing."""
        hear(engine, settle, wish("env_a", build=build, command=command))
        before = seen(engine, "env_a")
        generation = newer(engine)
        engine.apply(WishDocument(generation=generation, wishes=[]))
        settle(lambda: engine.report().generation == generation)
        assert seen(engine, "env_a") == before
        assert [each.parked for each in engine.report().environments] == [True]

    def test_what_is_gone_ends(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """Nothing of it is reported any more."""
        hear(engine, settle, wish("env_a", build=build, command=command))
        engine.apply(WishDocument(generation=newer(engine), wishes=[], gone=["env_a"]))
        settle(lambda: not engine.report().environments)

    def test_a_report_waits_for_news(
        self, engine: Engine, settle: Settle, build: str, command: str
    ) -> None:
        """Asked after an older sequence it answers at once; after the newest it waits."""
        hear(engine, settle, wish("env_a", build=build, command=command))
        newest = engine.report()
        assert engine.report(after=newest.sequence - 1, wait=30.0).sequence >= newest.sequence


def hear(engine: Engine, settle: Settle, wished: EnvironmentWish) -> None:
    """Have the engine hear one wish, and wait until it is true."""
    generation = newer(engine)
    engine.apply(WishDocument(generation=generation, wishes=[wished]))
    one = Wish(wished.environment, generation, wished)

    def is_true() -> bool:
        found = [e for e in engine.report().environments if e.environment == one.environment]
        return bool(found) and is_as_wished(found[0], one)

    settle(is_true)


def newer(engine: Engine) -> int:
    """Return a generation the engine has not heard."""
    return engine.report().generation + 1


def seen(engine: Engine, environment: str) -> set[str]:
    """Return the ids of the instances of an environment."""
    reports = [e for e in engine.report().environments if e.environment == environment]
    return {each.id for report in reports for each in report.instances}
