"""Thousands who follow one log: each hears each line, and nobody else waits for it."""

import asyncio
import json
import time
from contextlib import suppress

import pytest

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
FOLLOW = "/v1/apps/followed/environments/production/logs/follow?source=router&limit=1"


@pytest.fixture(scope="module")
def followed(here):
    here.perron("deploy", str(here.app("load", "followed")), "-a", "followed", "--create")
    return here


def test_forty_readers_hear_a_line_once_each(followed):
    heard = asyncio.run(_follow(followed, 40))
    assert heard == {1: 40}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_thousand_readers_hear_a_line_once_each(followed, many_files):
    many_files(7_000)
    assert asyncio.run(_follow(followed, 3000)) == {1: 3000}


async def _follow(here, count):
    """Return how many readers heard a line so and so often."""
    token = json.loads((here.home / "cli.json").read_text())["token"]
    began = time.monotonic()
    some = asyncio.Semaphore(100)  # at a time, as browsers come back after a restart
    readers = [Reader(here, token, some) for _ in range(count)]
    followers = [asyncio.create_task(each.read()) for each in readers]
    try:
        await _until(lambda: all(each.is_here for each in readers), 300)
        print(f"\n{count} readers are here after {time.monotonic() - began:.1f} s")
        for mark in (b"/first-mark", b"/second-mark"):
            said = time.monotonic()
            assert await asyncio.to_thread(here.status, "followed.localhost", mark.decode()) < 500
            await _until(lambda mark=mark: all(mark in each.heard for each in readers), 120)
            print(f"all have heard a line after {time.monotonic() - said:.2f} s")
        said = time.monotonic()
        assert here.perron("apps", "list").returncode == 0
        print(f"others are answered after {time.monotonic() - said:.2f} s")
    finally:
        for each in followers:
            each.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
    times = [each.heard.count(b"/first-mark") for each in readers]
    return {number: times.count(number) for number in sorted(set(times))}


class Reader:
    """One who follows the log through the edge, as a browser does."""

    def __init__(self, here, token, some):
        self.port, self.token, self.some = here.http_port, token, some
        self.heard = b""

    @property
    def is_here(self):
        return b"text/event-stream" in self.heard and b": here" in self.heard

    async def read(self):
        async with self.some:
            lines, asking = await asyncio.open_connection("127.0.0.1", self.port)
            asking.write(
                f"GET {FOLLOW} HTTP/1.1\r\nHost: perron.localhost\r\n"
                f"Authorization: Bearer {self.token}\r\n\r\n".encode()
            )
            while not self.is_here:
                self.heard += await lines.read(65536) or b"(closed)"
                assert b"(closed)" not in self.heard, self.heard
        with suppress(asyncio.CancelledError):
            while piece := await lines.read(65536):
                self.heard += piece
        asking.close()


async def _until(is_so, seconds):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.05)
