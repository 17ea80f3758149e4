"""One instance's life: started, healthy, fallen, restarted, drained, stopped."""

import asyncio
import http.client
import os
import urllib.request

import pytest

from perron.contract.node import HealthCheck, Limits, VolumeMount

from .conftest import Node, run, web, wish, worker


def ask(port: int | None, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=3) as answer:
        return str(answer.read().decode())


def test_a_wished_instance_becomes_healthy_and_gets_visitors(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(env={"WORD": "hello"})))
            (found,) = await node.until_states("web.1 v1 healthy")
            assert await asyncio.to_thread(ask, found.port) == "hello"

            async def rotating() -> bool:
                return (await node.reports())[0].in_rotation

            await node.until(rotating, "in rotation")
            assert node.edge.serving() == {"shop.v1.web.1": True}
            report = await node.instances.reports.report()
            assert report.environments[0].routed
            assert report.generation == node.generation

    run(body)


def test_a_worker_is_healthy_when_it_stays_up_and_gets_no_visitors(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(worker()))
            (found,) = await node.until_states("worker.1 v1 healthy")
            assert found.port is None
            assert node.edge.serving() == {}
            assert (await node.instances.reports.report()).environments[0].routed

    run(body)


def test_an_instance_that_falls_starts_again_and_says_why(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web()))
            (before,) = await node.until_states("web.1 v1 healthy")
            with pytest.raises((OSError, http.client.HTTPException)):
                await asyncio.to_thread(ask, before.port, "/crash")

            async def restarted() -> bool:
                (now,) = await node.reports()
                return now.restarts == 1 and now.state == "healthy" and now.in_rotation

            await node.until(restarted, "restarted")
            (after,) = await node.reports()
            assert (after.id, after.port) == (before.id, before.port)
            assert after.last_exit is not None
            assert after.last_exit.code == 7
            said = await node.lines(source="platform")
            assert "web.1 exited with code 7; starts again in 0.5 s" in said

    run(body)


def test_who_fell_while_nobody_looked_has_waited_long_enough(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web()))
            (before,) = await node.until_states("web.1 v1 healthy")
        with pytest.raises((OSError, http.client.HTTPException)):
            await asyncio.to_thread(ask, before.port, "/crash")
        async with node.agent():
            (after,) = await node.until_states("web.1 v1 healthy")
            assert (after.id, after.restarts) == (before.id, 1)
            assert "web.1 exited with code 7; starts again now" in await node.lines(
                source="platform"
            )
            with pytest.raises((OSError, http.client.HTTPException)):
                await asyncio.to_thread(ask, after.port, "/crash")

            async def waits() -> bool:
                said = await node.lines(source="platform")
                return "web.1 exited with code 7; starts again in 1 s" in said

            await node.until(waits, "waits longer the second time")

    run(body)


def test_who_keeps_falling_is_shown_as_a_crash_loop(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(command="echo going down; exit 3")))
            (found,) = await node.until_states("web.1 v1 crashed")
            assert found.crash_loop
            assert found.last_exit is not None
            assert found.last_exit.text == "exited with code 3"
            assert node.edge.backends["env_a"].page == "crashed"

    run(body)


def test_who_never_answers_is_stopped_at_its_deadline(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            check = HealthCheck(deadline=1.0)
            node.hear(wish(web(command="sleep 1000", health=check)))
            (found,) = await node.until_states("web.1 v1 backoff")
            assert "did not answer / well in 1 s (connection refused, " in found.message

    run(body)


def test_an_app_that_answers_500_never_gets_visitors(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            check = HealthCheck(path="/500", deadline=1.0)
            node.hear(wish(web(health=check)))
            (found,) = await node.until_states("web.1 v1 backoff")
            assert "answered 500" in found.message
            assert not any(any(told.values()) for told in node.edge.history)

    run(body)


def test_a_release_replaces_another_only_when_it_is_in_rotation(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(1)))
            await node.until_states("web.1 v1 healthy")
            node.hear(wish(web(1), web(2, serving=False)))
            await node.until_states("web.1 v1 healthy", "web.1 v2 healthy")
            assert "shop.v2.web.1" not in node.edge.serving()
            node.hear(wish(web(1, serving=False), web(2)))

            async def turned() -> bool:
                return node.edge.serving() == {"shop.v1.web.1": False, "shop.v2.web.1": True}

            await node.until(turned, "turned")
            served = [sum(told.values()) for told in node.edge.history]
            assert min(served[served.index(1) :]) >= 1
            node.hear(wish(web(2)))
            await node.until_states("web.1 v2 healthy")
            assert "asked to stop" in await node.lines()

    run(body)


def test_a_release_wished_alone_takes_over_without_a_gap(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(1, 2)))
            await node.until_states("web.1 v1 healthy", "web.2 v1 healthy")
            node.hear(wish(web(2, 2)))
            await node.until_states("web.1 v2 healthy", "web.2 v2 healthy")
            served = [sum(told.values()) for told in node.edge.history]
            assert min(served[served.index(2) :]) >= 2

    run(body)


def test_a_broken_release_never_moves_the_good_one(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(1)))
            await node.until_states("web.1 v1 healthy")
            node.hear(wish(web(2, command="exit 1")))
            await node.until_states("web.1 v1 healthy", "web.1 v2 crashed")
            assert node.edge.serving() == {"shop.v1.web.1": True}
            node.hear(wish(web(1)))
            await node.until_states("web.1 v1 healthy")
            assert node.edge.serving() == {"shop.v1.web.1": True}

    run(body)


def test_stop_first_never_runs_two_releases_at_once(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(worker(1, stop_first=True)))
            (old,) = await node.until_states("worker.1 v1 healthy")
            assert old.pid is not None
            node.hear(wish(worker(2, stop_first=True)))
            (new,) = await node.until_states("worker.1 v2 healthy")
            assert not os.path.exists(f"/proc/{old.pid}")
            assert new.started is not None

    run(body)


def test_drain_waits_for_visitors_and_then_closes_and_counts_them(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(1, drain_timeout=1.0)))
            (old,) = await node.until_states("web.1 v1 healthy")
            node.edge.flights[old.id] = 3
            node.hear(wish(web(2)))
            await node.until_states("web.1 v1 draining", "web.1 v2 healthy")
            await node.until_states("web.1 v2 healthy")
            assert node.edge.closed == [old.id]
            assert (await node.instances.reports.report()).environments[0].cut == 3

    run(body)


def test_who_ignores_the_request_to_end_is_killed_whole(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            stubborn = "trap '' TERM; sleep 1000 & while true; do sleep 1; done"
            node.hear(wish(worker(command=stubborn, stop_timeout=0.5)))
            (found,) = await node.until_states("worker.1 v1 healthy")
            node.hear(wish())
            await node.until_states()
            assert not os.path.exists(f"/proc/{found.pid}")
            said = await node.lines(source="platform")
            assert "worker.1 did not end within 0.5 s; killed" in said
            assert not list((node.home.node / "instances").iterdir())

    run(body)


def test_scaling_down_ends_the_highest_number(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            node.hear(wish(web(1, 3)))
            await node.until_states(*(f"web.{n} v1 healthy" for n in (1, 2, 3)))
            node.hear(wish(web(1, 1)))
            await node.until_states("web.1 v1 healthy")
            node.hear(wish(web(1, 2)))
            await node.until_states("web.1 v1 healthy", "web.2 v1 healthy")

    run(body)


def test_who_fails_its_check_leaves_rotation_and_is_restarted(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            check = HealthCheck(deadline=10.0, interval=0.1)
            node.hear(wish(web(health=check)))
            (found,) = await node.until_states("web.1 v1 healthy")
            node.edge.down.add(found.id)
            await node.until_states("web.1 v1 unhealthy")
            (again,) = await node.until_states("web.1 v1 backoff")
            node.edge.down.clear()
            assert "failed its health check 6 times" in again.message
            await node.until_states("web.1 v1 healthy")

    run(body)


def test_a_volume_outlives_the_instances_that_write_to_it(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            data = VolumeMount(name="data", mount="/data", size=1 << 20)
            command = "echo kept >> /data/file; sleep 1000"
            node.hear(wish(worker(command=command, volumes=[data])))
            await node.until_states("worker.1 v1 healthy")
            node.hear(wish(worker(revision="r2", command=command, volumes=[data])))
            file = node.home.node / "volumes" / "env_a" / "data" / "file"

            async def written_twice() -> bool:
                return file.read_text() == "kept\nkept\n"

            await node.until(written_twice, "written twice")

    run(body)


def test_a_worker_that_ran_out_of_memory_is_told_while_the_rest_goes_on(node: Node) -> None:
    async def body() -> None:
        async with node.agent():
            if node.tools.sandboxes._groups.mode != "v1":
                pytest.skip("only control groups v1 kill one process alone")
            hog = "/usr/bin/python3 -c 'x = bytearray(300 << 20)'; sleep 1000; true"
            limits = Limits(memory=64 << 20)
            node.hear(wish(worker(command=hog, limits=limits)))
            await node.until_states("worker.1 v1 healthy")

            async def told() -> bool:
                said = await node.lines(source="platform")
                return any("worker.1 ran out of memory" in line for line in said)

            await node.until(told, "told")
            (found,) = await node.reports()
            assert (found.state, found.restarts) == ("healthy", 0)

    run(body)
