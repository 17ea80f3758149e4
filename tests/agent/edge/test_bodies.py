"""Bodies that do not tell their length are measured and end at the app's limit."""

import asyncio
import json
import subprocess

from perron.agent.edge import admin

from .conftest import exchange


def test_a_body_that_does_not_tell_its_length_is_measured_and_ended_at_the_limit(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target(), max_body=100_000)])
        told = asyncio.create_task(_first(world.edge.access_lines(), 4))
        await asyncio.sleep(0)
        fits = await _chunked(world, 100_000)
        seen = json.loads(fits.body)
        assert (fits.status, seen["size"]) == (200, 100_000)
        assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"
        assert seen["headers"]["x-request-id"] == fits.headers["x-request-id"]
        over = await _chunked(world, 100_001)
        assert (over.status, "Too large" in over.text) == (413, True)
        assert over.headers["x-request-id"] in over.text
        json_please = "Accept: application/json\r\n"
        assert json.loads((await _chunked(world, 100_001, json_please)).body)["status"] == 413
        assert json.loads((await world.get()).body)["pid"] == shop.process.pid
        lines = await asyncio.wait_for(told, 20)
        assert [(each.status, each.page) for each in lines] == [
            (200, ""), (413, "413"), (413, "413"), (200, "")
        ]  # fmt: skip
        assert not any(each.lost for each in lines)

    run(story)


def test_over_http2_too_and_who_sends_no_body_takes_no_other_way(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target(), max_body=1000)])
        assert await asyncio.to_thread(_upload, world, None) == "2 200"
        assert await _measured(world) == 0
        assert await asyncio.to_thread(_upload, world, 1000) == "2 200"
        assert await asyncio.to_thread(_upload, world, 1001) == "2 413"
        assert await asyncio.to_thread(_upload, world, 1001, "GET") == "2 413"
        endless = await asyncio.to_thread(_upload, world, 3_000_000)
        assert endless in ("2 413", "0 000")  # who is still sending may miss the answer
        assert await _measured(world) == 4

    run(story)


async def _measured(world):
    """Return how many requests took the way on which bodies are counted."""
    told = await admin.ask(world.edge._process.socket, "show stat measure-https 2 -1")
    head, row = (line.split(",") for line in told.strip().splitlines())
    return int(row[head.index("stot")])


async def _first(lines, count):
    return [await anext(lines) for _ in range(count)]


async def _chunked(world, size, headers=""):
    head = (
        f"POST /up HTTP/1.1\r\nHost: shop.localhost\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    )
    parts = [b"%x\r\n%s\r\n" % (part, b"x" * part) for part in (size // 2, size - size // 2)]
    raw = head.encode() + b"".join(parts) + b"0\r\n\r\n"
    return await exchange(world.settings.http_port, raw)


def _upload(world, size, method="PUT"):
    """Send zeros whose number is not told, as HTTP/2 does without a Content-Length."""
    port = world.settings.https_port
    what = [] if size is None else ["-X", method, "-T", "-"]
    told = subprocess.run(
        ["curl", "-s", "-k", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}",
         "--max-time", "30", *what, "--connect-to", f"shop.localhost:443:127.0.0.1:{port}",
         "https://shop.localhost/up"],
        input=bytes(size or 0), capture_output=True, check=False,
    )  # fmt: skip
    return told.stdout.decode()
