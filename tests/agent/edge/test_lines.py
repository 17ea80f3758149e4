"""Access lines: read whole, counted once, and missing ones known."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.agent.edge import lines
from perron.agent.edge.model import release_of
from perron.agent.edge.router import Heard, Router
from perron.agent.logs import Logs
from perron.kit import clock

from .conftest import until

LINE = (
    "@ 77 1795265709345 12 200 51 -- 0 shop.v7.web.1:ins_1 GET env_shop 3 id-12345678 - "
    "shop.localhost /a/b c=d"
)


def line(**changes):
    found = lines.parse(LINE)
    assert found is not None
    return found._replace(**changes)


def test_a_line_is_read_whole():
    read = line()
    assert (read.release, read.instance, read.sequence) == (7, "web.1", 3)
    assert read.time == datetime.fromtimestamp(1795265709.345, UTC)
    assert read.text == "GET /a/b?c=d 200 12 ms release=7 instance=web.1 id=id-12345678"


@pytest.mark.parametrize(
    "other", ["", "Server http-00000/x is DOWN", LINE.replace("env_shop", "-"), "@ x y", LINE[:40]]
)
def test_what_is_no_line_of_an_environment_is_left_out(other):
    assert lines.parse(other) is None


def test_names_tell_release_and_instance_also_of_environments():
    assert release_of("shop--staging.v12.web.3:ins_9") == (12, "web.3")
    assert release_of("<NOSRV>") == (None, "")


@pytest.mark.parametrize(
    ("state", "status", "page", "lost"),
    [
        ("--", 200, "", None),
        ("--", 500, "", None),
        ("SC", 503, "", "connect failed"),
        ("SH", 502, "", "no answer"),
        ("sH", 504, "", "answer timed out"),
        ("SD", 200, "", "answer cut"),
        ("KD", 200, "", "answer cut"),
        ("CD", 200, "", None),
        ("cR", 408, "", None),
        ("LR", 503, "crashed", "no instance"),
        ("LR", 503, "maintenance", None),
        ("LR", 503, "stopped", None),
        ("LR", 413, "", None),
        ("PR", 400, "", None),
    ],
)
def test_only_what_neither_app_nor_visitor_did_is_lost(state, status, page, lost):
    assert line(state=state, status=status, page=page).lost == lost


@given(st.permutations(range(1, 30)), st.integers(0, 29))
def test_every_number_is_taken_once_and_the_untold_are_missing(order, told):
    heard = Heard(1)
    first = order[:told]
    assert all(heard.take(number) for number in first)
    assert not any(heard.take(number) for number in first)
    assert heard.missing == set(range(1, max(first, default=0) + 1)) - set(first)
    assert all(heard.take(number) for number in order[told:])
    assert not heard.missing


def test_lines_read_again_after_a_restart_count_once_and_a_dead_worker_leaves_a_gap(tmp_path):
    async def story():
        lines = [line(sequence=number) for number in (1, 2, 4)]
        for _ in range(2):
            router = Router(tmp_path / "router.db", None)
            router.open()
            await router.take(lines)
            await router.close()
        router = Router(tmp_path / "router.db", None)
        router.open()
        await router.take([line(sequence=1, worker=78)])
        at = line().time
        count = await router.count("env_shop", at, at, None)
        await router.close()
        return count

    count = asyncio.run(story())
    assert (count.requests, count.gaps) == (4, 1)


def test_what_a_full_ring_took_is_a_gap_and_what_is_in_flight_is_not(tmp_path):
    async def story():
        router = Router(tmp_path / "router.db", None)
        router.open()
        since = clock.now()
        await router.take([line(sequence=number) for number in (1, 4, 7)])
        gaps = []
        for in_flight in (1, 1, 1):
            await router.settle({"env_shop": in_flight})
            now = clock.now()
            gaps.append((await router.count("env_shop", since, now, None)).gaps)
        await router.close()
        return gaps

    assert asyncio.run(story()) == [0, 3, 3]


@pytest.mark.fault
def test_what_visitors_asked_while_the_agent_was_away_is_in_the_log_once(run):
    async def story(world):
        logs = Logs(world.home, world.settings)
        logs.open()
        world.edge._router._logs = logs
        shop = await world.app()
        backend = world.backend(shop.target(), log_queries=True)
        await world.edge.apply([backend])
        await world.get("/before?secret=1")
        await asyncio.sleep(0)
        await world.edge.detach()
        for number in range(50):
            await world.get(f"/away/{number}")
        world.edge = type(world.edge)(world.home, world.settings, logs)
        await world.edge.start()
        await world.edge.apply([backend])
        await world.get("/after")

        async def texts():
            page = await logs.read(environment="env_shop", source="router")
            found = [each.text.split(" ")[1] for each in page.lines]
            return found if "/after" in found else None

        found = await until(texts)
        wanted = {"/before?secret=1", "/after", *(f"/away/{number}" for number in range(50))}
        assert sorted(found) == sorted(wanted)
        logs.close()

    run(story)


def test_query_strings_are_logged_only_when_asked(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        coming = world.edge.access_lines()
        first = asyncio.create_task(anext(coming))
        await asyncio.sleep(0)
        await world.get("/a?token=secret")
        assert (await asyncio.wait_for(first, 5)).query == ""
        await coming.aclose()

    run(story)


@pytest.mark.fault
def test_requests_in_flight_in_a_killed_edge_are_told_as_a_gap(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        reader, writer = await world.connect()
        writer.write(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
        await reader.readuntil(b"data: 1\n\n")
        since = clock.now()
        await world.get()
        master, worker = world.master, None
        from perron.agent.edge import admin

        worker = await admin.worker(world.edge._process.socket)

        async def is_told():
            now = clock.now() + timedelta(seconds=1)
            return (await world.edge.router_count("env_shop", since, now)).requests == 1

        await until(is_told)
        for pid in (master, worker):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: world.master not in (None, master))

        async def has_gap():
            try:
                await world.get()
            except (OSError, asyncio.IncompleteReadError):
                return False
            now = clock.now() + timedelta(seconds=1)
            return (await world.edge.router_count("env_shop", since, now)).gaps == 1

        await until(has_gap)
        writer.close()

    run(story)
