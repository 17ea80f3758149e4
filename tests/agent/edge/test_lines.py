"""Access lines: read whole, counted once, and missing ones known."""

import asyncio
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perron.agent.edge import lines, tally
from perron.agent.edge.model import release_of
from perron.agent.edge.router import Router
from perron.agent.edge.tally import Heard
from perron.agent.logs import Logs, Query
from perron.kit import clock
from perron.kit.settings import Home, Settings

from .conftest import until

LINE = (
    "@env_shop|http-00001|shop.localhost| 1795265709345 -- shop.v7.web.1:ins_1 200 12 51 0 GET "
    "4 3 id-12345678 - /a/b c=d"
)


def line(**changes):
    found = lines.parse(LINE)
    assert found is not None
    return found._replace(**changes)


def raw(ended, *, started=None, second=1795265709, state="--", server="shop.v7.web.1:ins_1",
        status=200, where="env_shop|http-00001|shop.localhost|", page="-"):  # fmt: skip
    started = started or ended
    return (
        f"@{where} {second}345 {state} {server} {status} 12 51 0 GET {started} {ended} "
        f"id-{ended:08d} {page} /a -\n"
    ).encode()


def test_a_line_is_read_whole():
    read = line()
    assert (read.release, read.instance, read.started, read.ended) == (7, "web.1", 4, 3)
    assert (read.environment, read.host) == ("env_shop", "shop.localhost")
    assert read.time == datetime.fromtimestamp(1795265709.345, UTC)
    assert read.text == "GET /a/b?c=d 200 12 ms release=7 instance=web.1 id=id-12345678"


@pytest.mark.parametrize(
    "other",
    ["", "Server http-00000/x is DOWN", "@- " + LINE.partition(" ")[2], "@ x y", LINE[:40],
     "3 events dropped"],
)  # fmt: skip
def test_what_is_no_line_of_an_environment_is_left_out(other):
    assert lines.parse(other) is None
    if "|" not in other:
        assert list(tally.groups(f"{other}\n".encode())) == []


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


SAID = st.builds(
    lambda second, what, where: {"second": 1795265700 + second, "where": where, **what},
    st.integers(0, 9),
    st.sampled_from([
        {}, {"status": 500}, {"status": 404}, {"server": "shop.v8.web.2:ins_2"},
        {"state": "SH", "status": 502}, {"state": "SD"},
        {"state": "LR", "server": "<NOSRV>", "status": 503, "page": "crashed"},
    ]),
    st.sampled_from(["env_shop|http-00001|shop.localhost|", "env_shop|http-00001|s.test|https+",
                     "env_blog|http-00002|blog.localhost|"]),
)  # fmt: skip


@given(st.lists(st.lists(SAID, max_size=12), max_size=6))
def test_counting_bytes_gives_what_reading_every_line_gives(batches):
    known, counted, read = {}, {}, {}
    for batch in batches:
        data = b"".join(raw(number, **each) for number, each in enumerate(batch, start=1))
        for group in tally.groups(data):
            of = known.setdefault(group.environment, {})
            found = tally.tally(group, of)
            for second, each in found.seconds.items():
                sums = counted.setdefault((group.environment, second), [0, {}])
                sums[0] += each.requests
                for reason, count in each.lost.items():
                    sums[1][reason] = sums[1].get(reason, 0) + count
        for text in data.decode().splitlines():
            one = lines.parse(text)
            sums = read.setdefault((one.environment, int(one.time.timestamp())), [0, {}])
            sums[0] += 1
            if one.lost:
                sums[1][one.lost] = sums[1].get(one.lost, 0) + 1
    assert counted == read


def heard_of(numbers, *, started=0):
    return [(started or number, number) for number in numbers]


@given(st.lists(st.integers(1, 7), max_size=30), st.randoms())
def test_numbers_that_come_a_little_late_are_not_missing(sizes, random):
    heard, number = Heard(), 0
    for size in sizes:
        some = list(range(number + 1, number + size + 1))
        number += size
        random.shuffle(some)
        for at in range(0, len(some), 3):
            assert heard.take(len(some[at : at + 3]), heard_of(some[at : at + 3])) == 0
    assert (heard.settle(), heard.settle()) == (0, 0)
    assert heard.untold == 0


def test_what_a_full_ring_took_is_missing_once():
    heard = Heard()
    assert heard.take(40, heard_of(range(1, 41))) == 0
    assert heard.take(40, heard_of(range(141, 181))) == 100
    assert heard.take(3, heard_of((181, 182, 185))) == 0
    assert (heard.settle(), heard.settle(), heard.settle()) == (0, 2, 0)


def test_a_dead_worker_leaves_what_it_had_begun_as_a_gap_and_nothing_is_taken_twice(tmp_path):
    async def story():
        said = raw(1) + raw(2) + raw(3, started=5)
        router = Router(tmp_path / "router.db", None)
        router.open()
        await router.take("77", said)
        assert router.place("77") == raw(3, started=5)[:-1]
        await router.close()
        router = Router(tmp_path / "router.db", None)
        router.open()
        assert router.place("77") == raw(3, started=5)[:-1]
        await router.take("78", raw(1))
        await router.forget_others({"78"})
        await router.forget_others({"78"})
        counts = await router.count("env_shop", line().time, clock.now(), None)
        await router.close()
        return counts

    count = asyncio.run(story())
    assert (count.requests, count.gaps) == (4, 2)
    assert count.first_served == line().time


def test_a_gap_says_whether_the_ring_was_full_or_the_edge_ended(tmp_path):
    async def story():
        logs = Logs(Home(tmp_path), Settings())
        logs.open()
        router = Router(tmp_path / "router.db", logs)
        router.open()
        await router.take("77", raw(1) + raw(3, started=5))
        for _ in range(3):
            await router.settle()
        await router.forget_others({"78"})
        page = await logs.read(Query("env_shop", source="router"))
        await router.close()
        logs.close()
        return [each.text for each in page.lines if "not logged" in each.text]

    full, ended = asyncio.run(story())
    assert full == "1 request is not logged: more came than could be read"
    assert ended == "2 requests are not logged: the edge ended before it told of what it had begun"


def test_what_cannot_be_written_is_taken_again_and_counts_once(tmp_path):
    async def story():
        router = Router(tmp_path / "router.db", None)
        router.open()
        store = router._own
        store._writer.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError):
            await router.take("77", (raw(1) + raw(2)) * 5000)
        store._writer.execute("PRAGMA max_page_count = 100000")
        await router.take("77", raw(1) + raw(2))
        counts = await router.count("env_shop", line().time, line().time, 7)
        await router.close()
        return counts

    count = asyncio.run(story())
    assert (count.requests, count.gaps, count.first_served) == (2, 0, line().time)


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
            page = await logs.read(Query("env_shop", source="router"))
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


def test_counts_of_an_older_version_are_brought_over_once(tmp_path):
    old = sqlite3.connect(tmp_path / "router.db")
    old.executescript(
        "create table second (environment, second, requests, gaps, lost);"
        "create table first (environment, release, at);"
        "create table served (environment, second, at);"
        """insert into second values ('env_shop', 1795265709, 7, 1, '{"no answer": 2}');"""
        "insert into first values ('env_shop', 3, 1795265709.5);"
    )
    old.close()

    async def story():
        logs = Logs(Home(tmp_path), Settings())
        logs.open()
        router = Router(tmp_path / "router.db", logs)
        router.open()
        count = await router.count("env_shop", line().time, line().time, 3)
        await router.close()
        logs.close()
        return count

    count = asyncio.run(story())
    assert (count.requests, count.gaps, count.lost) == (7, 1, {"no answer": 2})
    assert count.first_served is not None
    assert not (tmp_path / "router.db").exists()


@pytest.mark.fault
def test_after_a_reload_the_lines_of_both_workers_are_kept(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        since = clock.now()
        reader, writer = await world.connect()
        writer.write(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
        await reader.readuntil(b"data: 1\n\n")
        await world.edge._enlarge("tcp")
        await world.get("/new")
        writer.close()  # the old worker tells of it, then it ends

        async def counts():
            count = await world.edge.router_count(
                "env_shop", since, clock.now() + timedelta(seconds=1)
            )
            return count if count.requests == 2 else None

        assert (await until(counts)).gaps == 0

    run(story)
