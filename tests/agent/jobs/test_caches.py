"""Caches of teams stay below their bound, and no build loses the one it uses."""

from collections.abc import Callable

from perron.contract.node import BuildPlan, BuildStep, JobState

from .conftest import Node, build_spec

FILL = "head -c 3000000 /dev/zero > /cache/filled; touch ready"


def test_a_cache_that_outgrew_its_bound_is_emptied_but_never_under_a_build(
    on_node: Callable[..., None],
) -> None:
    async def story(node: Node) -> None:
        caches = node.home.node / "caches"
        plan = BuildPlan(steps=[BuildStep(title="Filling", command=f"{FILL}; sleep 600")])
        await node.jobs.ask("build-1", build_spec(node.source({"a": "1"}), plan))
        while not (caches / "team_1" / "filled").exists():
            await node.jobs.report("build-1", 0.1)
        (caches / ".team_2").mkdir()  # as a killed agent leaves it
        assert await node.jobs.tidy() == []
        assert (caches / "team_1" / "filled").exists()
        assert not (caches / ".team_2").exists()
        await node.jobs.cancel("build-1")
        await node.ended("build-1")
        assert await node.jobs.tidy() == ["team_1"]
        assert list(caches.iterdir()) == []
        again = BuildPlan(steps=[BuildStep(title="Again", command="ls /cache")])
        await node.jobs.ask("build-2", build_spec(node.source({"a": "2"}), again, "build2"))
        assert (await node.ended("build-2")).state is JobState.SUCCEEDED
        assert await node.jobs.tidy() == []
        assert [each.name for each in caches.iterdir()] == ["team_1"]

    on_node(story, build_cache=1_000_000)
