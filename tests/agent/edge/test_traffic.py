"""What visitors send and get while instances come, go and die."""

import asyncio
import json
import os
from datetime import timedelta
from hashlib import sha256

import pytest

from perron.kit import clock

from .conftest import answer, exchange, until
from .visiting import under_load


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_twenty_swaps_under_load_lose_nothing(run, method):
    async def story(world):
        apps = [await world.app() for _ in range(2)]
        await world.edge.apply([world.backend(apps[0].target(1))])
        since = clock.now()

        async def swap():
            for number in range(2, 22):
                new, old = apps[(number + 1) % 2], apps[number % 2]
                new, old = (old, new)
                name = f"ins_{number}_"
                arriving = _named(new.target(number), name)
                leaving = _named(old.target(number - 1), f"ins_{number - 1}_")
                await world.edge.apply(
                    [world.backend(_named(leaving, leaving.name, serving=False), arriving)]
                )

                async def is_drained(name=leaving.name):
                    return (await world.edge.in_flight()).get(name, 0) == 0

                await until(is_drained)
                await world.edge.apply([world.backend(arriving)])

        seen = await under_load(world, swap, method=method, body=b"x" if method == "POST" else b"")
        assert set(seen) == {200}

        async def all_told():
            until_now = clock.now() + timedelta(seconds=1)
            count = await world.edge.router_count("env_shop", since, until_now)
            return count if count.requests == seen[200] else None

        count = await until(all_told)
        assert (count.lost, count.gaps) == ({}, 0)
        assert count.first_served is not None

    run(story)


def _named(target, name, *, serving=True):
    from dataclasses import replace

    return replace(target, name=name, serving=serving)


@pytest.mark.fault
@pytest.mark.parametrize(
    ("method", "size"), [("GET", 0), ("HEAD", 0), ("PUT", 16 << 10), ("DELETE", 100)]
)
def test_one_of_two_instances_killed_loses_no_request_that_may_be_repeated(run, method, size):
    async def story(world):
        stays, dies = await world.app(), await world.app()
        await world.edge.apply([world.backend(stays.target(), dies.target())])

        async def kill():
            for _ in range(4):
                app = world.apps[-1]
                await asyncio.sleep(0.1)  # let some requests be in flight
                app.kill()
                await asyncio.sleep(0.1)
                await world.app(port=app.port)

        seen = await under_load(world, kill, method=method, body=b"x" * size,
                                path="/wait/0.005")  # fmt: skip
        assert set(seen) == {200}

    run(story)


@pytest.mark.fault
def test_a_post_is_never_repeated_and_its_loss_is_counted(run):
    async def story(world):
        stays, dies = await world.app(), await world.app()
        await world.edge.apply([world.backend(stays.target(), dies.target())])
        since = clock.now()
        failed = [await world.get("/die-first", method="POST", body=b"x")]
        assert failed[0].status == 502
        assert failed[0].headers["x-request-id"] in failed[0].text
        both = (stays, dies)
        await until(lambda: any(app.process.poll() is not None for app in both))
        assert any(app.process.poll() is None for app in both)  # it reached one, and one only

        async def is_counted():
            until_now = clock.now() + timedelta(seconds=1)
            return (await world.edge.router_count("env_shop", since, until_now)).lost

        assert await until(is_counted) == {"no answer": 1}

    run(story)


@pytest.mark.fault
def test_an_answer_cut_short_is_counted_as_lost_and_an_apps_own_500_is_not(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        since = clock.now()
        assert (await world.get("/status/500")).status == 500
        with pytest.raises(asyncio.IncompleteReadError):
            await world.get("/half")

        async def is_counted():
            until_now = clock.now() + timedelta(seconds=1)
            count = await world.edge.router_count("env_shop", since, until_now)
            return count if count.requests == 2 else None

        assert (await until(is_counted)).lost == {"answer cut": 1}

    run(story)


def test_an_app_that_answers_500_is_asked_once(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        await world.get("/status/500")
        await world.get("/status/503")
        assert json.loads((await world.get()).body)["requests"] == 3

    run(story)


def test_large_uploads_arrive_whole_with_length_and_in_chunks(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        body = os.urandom(20 << 20)
        whole = json.loads((await world.get(method="POST", body=body)).body)
        assert whole["sha256"] == sha256(body).hexdigest()
        reader, writer = await world.connect()
        writer.write(
            b"PUT / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for at in range(0, len(body), 100_000):
            part = body[at : at + 100_000]
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        chunked = json.loads((await answer(reader)).body)
        writer.close()
        assert chunked["sha256"] == sha256(body).hexdigest()

    run(story)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_who_waits_for_100_continue_gets_it(run, method):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        reader, writer = await world.connect()
        writer.write(
            f"{method} / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 5\r\n"
            "Expect: 100-continue\r\n\r\n".encode()
        )
        assert b" 100 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.write(b"hello")
        assert json.loads((await answer(reader)).body)["size"] == 5
        writer.close()

    run(story)


def test_bodies_over_the_apps_limit_are_refused_before_they_are_sent(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target(), max_body=1000)])
        assert (await world.get(method="POST", body=b"x" * 1000)).status == 200
        assert (await world.get(method="POST", body=b"x" * 1001)).status == 413

    run(story)


def test_an_answer_may_be_silent_for_as_long_as_the_app_asks(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target(), idle_timeout=0.3)])
        late = await world.get("/wait/1")
        assert (late.status, "No answer in time" in late.text) == (504, True)
        await world.edge.apply([world.backend(shop.target(), idle_timeout=5)])
        assert (await world.get("/wait/0.5")).status == 200

    run(story)


def test_long_headers_pass_and_endless_ones_do_not(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        assert (await world.get(headers=f"X-Long: {'x' * 19_000}\r\n")).status == 200
        assert (await world.get(headers=f"X-Long: {'x' * 40_000}\r\n")).status in (400, 431)

    run(story)


@pytest.mark.slow
def test_a_visitor_who_sends_headers_too_slowly_gets_408(run):
    async def story(world):
        reader, writer = await world.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.local")
        assert (await answer(reader)).status == 408
        writer.close()

    run(story)


def test_streams_and_websockets_outlive_their_release_until_they_are_closed(run):
    async def story(world):
        old, new = await world.app(), await world.app()
        await world.edge.apply([world.backend(old.target(1))])
        events, stream = await world.connect()
        stream.write(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
        await events.readuntil(b"data: 2\n\n")
        frames, socket = await world.connect()
        socket.write(
            b"GET /websocket HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await answer(frames)).status == 101
        name = old.target().name
        await world.edge.apply([world.backend(old.target(1, serving=False), new.target(2))])
        assert json.loads((await world.get()).body)["pid"] == new.process.pid
        assert (await world.edge.in_flight())[name] == 2
        await events.readuntil(b"data: 20\n\n")
        socket.write(b"still here")
        assert await frames.readexactly(10) == b"still here"
        assert await world.edge.close(name) == 2
        assert await asyncio.wait_for(frames.read(-1), 5) == b""
        await asyncio.wait_for(events.read(-1), 5)

        async def is_empty():
            return (await world.edge.in_flight()).get(name, 0) == 0

        await until(is_empty)
        stream.close()
        socket.close()

    run(story)


@pytest.mark.parametrize(
    "raw",
    [
        b"PUT / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 4 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: blog.localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: shop.localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    ],
)
def test_requests_that_two_servers_could_read_differently_are_refused(run, raw):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        assert (await exchange(world.settings.http_port, raw)).status in (400, 413, 422, 501)
        assert json.loads((await world.get()).body)["requests"] <= 2

    run(story)


def test_a_length_beside_chunks_never_reaches_the_app(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        raw = (
            b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 60\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
            b"GET /smuggled HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"
        )
        seen = await exchange(world.settings.http_port, raw)
        if seen.status == 200:
            assert "content-length" not in json.loads(seen.body)["headers"]
        assert json.loads((await world.get()).body)["requests"] <= 2

    run(story)


@pytest.mark.slow
def test_eight_thousand_open_connections_leave_room_for_more(run):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 18_000:
        pytest.skip(f"This shell may open {hard} files only.")

    async def story(world):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        idle = []
        for _ in range(8000):
            idle.append(await world.connect())
        assert (await world.get()).status == 200
        for _, writer in idle:
            writer.close()

    try:
        run(story)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
