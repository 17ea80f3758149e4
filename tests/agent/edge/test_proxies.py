"""Whom the edge believes about its visitors: proxies it was told to trust, and nobody else."""

import asyncio
import json
import re
from dataclasses import replace

import pytest

from perron.contract.node import Certificate
from perron.kit.settings import Settings, SettingsRefused

from .conftest import exchange


def test_a_trusted_proxy_is_believed_and_added_to(run):
    async def story(world):
        shop = await world.app()
        backend = replace(world.backend(shop.target()), hosts=("shop.localhost", "shop.test"))
        pem = world.edge._keyring._authority.issue(["shop.test"])
        given = (Certificate(host="shop.test", pem=pem),)
        await world.edge.apply([replace(backend, certificates=given)])
        said = "X-Forwarded-For: 9.9.9.9, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"
        said += "X-Real-IP: 1.1.1.1\r\n"
        for more in ("", "Transfer-Encoding: chunked\r\n"):
            seen = await _told(world, said, more)
            assert seen["x-forwarded-for"] == "9.9.9.9, 203.0.113.7, 127.0.0.1"
            assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("https", "443")
            assert "x-real-ip" not in seen
        silent = await _told(world, "X-Forwarded-Proto: gopher\r\n")
        assert (silent["x-forwarded-for"], silent["x-forwarded-proto"]) == ("127.0.0.1", "http")
        assert (await world.get(host="shop.test")).status == 308
        assert (await world.get(host="shop.test", headers=said)).status == 200

    run(story, trusted_proxies="10.0.0.0/8, 127.0.0.1")


def test_who_is_no_trusted_proxy_is_not_believed(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        seen = await _told(world, "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n")
        assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
        assert seen["x-forwarded-port"] == str(world.settings.http_port)

    run(story, trusted_proxies="10.0.0.0/8")


def test_the_server_is_told_whom_a_trusted_proxy_saw(run):
    async def story(world):
        async def serve(reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            text = "|".join(re.findall("(?i)x-forwarded-for: .*", head)).replace("\r", "").encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            writer.close()

        server = await asyncio.start_unix_server(serve, str(world.home.api_socket))
        world.home.api_socket.chmod(0o666)
        async with server:
            said = "X-Forwarded-For: 9.9.9.9, 203.0.113.7\r\n"
            told = await world.get(host="perron.localhost", headers=said)
            assert told.text.lower() == "x-forwarded-for: 203.0.113.7"

    run(story, trusted_proxies="127.0.0.0/8")


@pytest.mark.parametrize(
    ("listed", "why"),
    [("10.0.0.1/8", "host bits"), ("proxy.test", "proxy.test"), ("0.0.0.0/0", "everybody")],
)
def test_proxies_that_are_no_network_are_refused(listed, why):
    with pytest.raises(SettingsRefused, match=why):
        Settings(trusted_proxies=f"10.0.0.0/8,{listed}")


async def _told(world, headers, more=""):
    """Return the headers an instance got."""
    body = b"0\r\n\r\n" if more else b""
    head = f"GET / HTTP/1.1\r\nHost: shop.localhost\r\n{headers}{more}Connection: close\r\n\r\n"
    told = await exchange(world.settings.http_port, head.encode() + body)
    return json.loads(told.body)["headers"]
