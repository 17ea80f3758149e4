"""Never is one request seen as two, and never is another team's app reached through one's own."""

import asyncio
import contextlib
import json
from dataclasses import replace

import pytest

from .h2raw import ask
from .strict import Strict

HOST = b"Host: shop.localhost\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: blog.localhost\r\nX: "
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(headers, body, *, host=HOST, line=b"POST /asked HTTP/1.1\r\n"):
    return line + host + headers + b"\r\n" + body


def length(of, name=b"Content-Length"):
    return b"%b: %d\r\n" % (name, of)


ENDED = b"0\r\n\r\n" + HIDDEN
CODINGS = (
    b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding:\tchunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n",
    b" Transfer-Encoding: chunked\r\n", b"X: x\nTransfer-Encoding: chunked\r\n",
    b"X: x\rTransfer-Encoding: chunked\r\n", b"Transfer-Encoding\r\n : chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
    b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n", b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n", b"Transfer-Encoding: \"chunked\"\r\n",
    b"Transfer-Encoding: chunked;q=1\r\n", b"Transfer-Encoding: CHUNKED\r\n",
    b"Transfer_Encoding: chunked\r\n", b"Transfer-Encoding\x00: chunked\r\n",
    b"Transfer-Encoding: chunked\x00\r\n", b"Transfer-Encoding: chun\r\n ked\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n", b"Transfer-Encoding: chunked\n",
    b"TRANSFER-ENCODING: chunked\r\n", b"Foo: bar\r\n\tTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: \xffchunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
)  # fmt: skip
LENGTHS = (
    b"Content-Length: 4\r\nContent-Length: %d\r\n", b"Content-Length: %d\r\nContent-Length: 4\r\n",
    b"Content-Length: 4, %d\r\n", b"Content-Length: +%d\r\n", b"Content-Length: -%d\r\n",
    b"Content-Length: 0x%x\r\n", b"Content-Length: %d.0\r\n", b"Content-Length: %d \r\n",
    b"Content-Length : %d\r\n", b"Content-Length:\r\n %d\r\n", b"Content-Length: 0\r\n\t%d\r\n",
    b"Content_Length: %d\r\n", b"Content-Length: 00000%d\r\n", b"Content-Length: %d\x00\r\n",
    b"Content-Length\x00: %d\r\n", b"X: y\nContent-Length: %d\r\n",
    b"X: y\rContent-Length: %d\r\n", b"Content-Length: 184467440737095516%d\r\n",
    b"\x00Content-Length: %d\r\n", b"Content-Length:%d\n", b"Content-Length: %d,\r\n",
    b"Connection: Content-Length\r\nContent-Length: %d\r\n",
)  # fmt: skip
CHUNKS = (
    b"0\n\n" + HIDDEN, b"0\r\n\n" + HIDDEN, b"0\r\r\n" + HIDDEN, b"0 \r\n\r\n" + HIDDEN,
    b"0;x=\"\r\n\r\n" + HIDDEN, b"0;\n\r\n" + HIDDEN, b"0;x\nabc\r\n\r\n" + HIDDEN,
    b"00000000000000000\r\n\r\n" + HIDDEN, b"100000000\r\nx\r\n" + ENDED, b"0x0\r\n\r\n" + HIDDEN,
    b"-1\r\n\r\n" + HIDDEN, b"1\r\nZZ\r\n" + ENDED, b"1\r\nZ" + ENDED, b"1\nZ\n" + ENDED,
    b"\r\n" + ENDED, b"1;a\rb\r\nZ\r\n" + ENDED, b"1\r\nZ\r\n0\r\nHost: blog.localhost\r\n\r\n",
    b"1\r\nZ\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\n\r\n" + HIDDEN,
    b"ffffffffffffffff\r\n" + HIDDEN, b"1_0\r\n" + HIDDEN, b"\xb9\r\n" + HIDDEN,
    b"5;" + b"x" * 20_000 + b"\r\nhello\r\n" + ENDED, b"0\r\nX: y\n\r\n" + HIDDEN,
    b"0\r\n X: y\r\n\r\n" + HIDDEN, b"0\r\nX\x00: y\r\n\r\n" + HIDDEN,
)  # fmt: skip
LINES = (
    b"GET /asked HTTP/1.1\n" + HOST + b"\n" + HIDDEN, b"GET  /asked  HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /asked HTTP/1.1\r\nHost: blog.localhost\r\n" + HOST + b"\r\n",
    b"GET /asked HTTP/1.1\r\nHost: shop.localhost, blog.localhost\r\n\r\n",
    b"GET /asked HTTP/1.1\r\nHost: shop.localhost\r\n blog.localhost\r\n\r\n",
    b"GET /asked HTTP/1.1\r\nHost : blog.localhost\r\n" + HOST + b"\r\n",
    b"GET /asked HTTP/1.1\r\n Host: blog.localhost\r\n" + HOST + b"\r\n",
    b"GET /asked HTTP/1.1\r\nHost: shop.localhost\x00.blog.localhost\r\n\r\n",
    b"GET /asked HTTP/1.1\r\nHost: shop.localhost@blog.localhost\r\n\r\n",
    b"GET /asked HTTP/1.1\r\nHost: blog.localhost#shop.localhost\r\n\r\n",
    b"GET http://blog.localhost/asked HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://shop.localhost/asked HTTP/1.1\r\nHost: blog.localhost\r\n\r\n",
    b"GET http://shop.localhost@blog.localhost/asked HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //blog.localhost/asked HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET @blog.localhost/asked HTTP/1.1\r\n" + HOST + b"\r\n",
    b"CONNECT blog.localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN,
    b"GET /asked HTTP/1.1 HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /asked\r\n" + HOST + b"\r\n",
    b"GET /asked HTTP/0.9\r\n\r\n", b"GET /asked HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n" + ENDED,
    b"GET /asked HTTP/2.0\r\n" + HOST + b"\r\n", b"GET /asked HTTP/1.11\r\n" + HOST + b"\r\n",
    b"G\x00T /asked HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /as\x00ked HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /as\rked HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /asked HTTP/1.1\r\n" + HOST + b"Bad Name: x\r\n\r\n",
    b"GET /asked HTTP/1.1\r\n" + HOST + b"Bad\x00Name: x\r\n\r\n",
    b"GET /asked HTTP/1.1\r\n" + HOST + b"No colon\r\n\r\n",
    b"GET /asked HTTP/1.1\r\n" + HOST + b": no name\r\n\r\n",
    b"GET /asked HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
    b"GET /asked HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n" + length(9) + b"\r\n" + HIDDEN,
    b"GET /asked HTTP/1.1\r\n" + HOST + length(len(HIDDEN)) + b"\r\n" + HIDDEN,
    b"GET /asked HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" + HIDDEN,
    b"GET /asked HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n\r\n" + HIDDEN,
    b"\r\n\r\nGET /asked HTTP/1.1\r\n" + HOST + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    b"GET /asked HTTP/1.1\r\n" + HOST + b"Connection: close, Host, X-Forwarded-For\r\n\r\n",
)  # fmt: skip
CORPUS = [
    *(post(coding + length(5), ENDED) for coding in CODINGS),
    *(post(length(len(ENDED)) + coding, ENDED) for coding in CODINGS),
    *(post((each % len(ENDED)), ENDED) for each in LENGTHS),
    *(post(CHUNKED + (each % 4), ENDED) for each in LENGTHS),
    *(post(CHUNKED, each) for each in CHUNKS), *LINES,
]  # fmt: skip

PLAIN = {b":method": b"POST", b":scheme": b"https", b":authority": b"shop.localhost",
         b":path": b"/asked"}  # fmt: skip
INJECTED = b"\r\n\r\n" + HIDDEN
H2 = [
    ({b":path": b"/asked HTTP/1.1\r\nHost: blog.localhost\r\n\r\nGET /hidden"}, [], b""),
    ({b":path": b"http://blog.localhost/hidden"}, [], b""), ({b":path": b"asked"}, [], b""),
    ({b":path": b""}, [], b""), ({b":path": b"/as ked"}, [], b""), ({b":path": b"*"}, [], b""),
    ({b":method": b"GET /hidden HTTP/1.1\r\nHost: blog.localhost\r\n\r\nGET"}, [], b""),
    ({b":method": b"GE T"}, [], b""), ({b":method": b"CONNECT"}, [], b""),
    ({b":scheme": b"http://blog.localhost/?x="}, [], b""), ({b":scheme": b"file"}, [], b""),
    ({b":authority": b"shop.localhost\r\nX: y"}, [], b""),
    ({b":authority": b"blog.localhost"}, [(b"host", b"shop.localhost")], b""),
    ({}, [(b"host", b"blog.localhost")], b""),
    ({}, [(b":authority", b"blog.localhost")], b""), ({}, [(b":path", b"/hidden")], b""),
    ({}, [(b"x", b"y"), (b":path", b"/hidden")], b""), ({}, [(b":bogus", b"x")], b""),
    ({}, [(b"x", b"y" + INJECTED)], b""), ({}, [(b"x", b"a\nb: c")], b""),
    ({}, [(b"x", b"a\x00b")], b""), ({}, [(b"x\r\ny", b"z")], b""), ({}, [(b"x: y", b"z")], b""),
    ({}, [(b"x y", b"z")], b""), ({}, [(b"X-Upper", b"z")], b""), ({}, [(b"", b"z")], b""),
    ({}, [(b"x\x00", b"z")], b""), ({}, [(b"te", b"chunked")], b""),
    ({}, [(b"transfer-encoding", b"chunked")], ENDED),
    ({}, [(b"transfer-encoding", b"chunked"), (b"content-length", b"5")], ENDED),
    ({}, [(b"content-length", b"0")], HIDDEN), ({}, [(b"content-length", b"5")], ENDED),
    ({}, [(b"content-length", b"500")], ENDED),
    ({}, [(b"content-length", b"5"), (b"content-length", b"6")], ENDED),
    ({}, [(b"content-length", b"+5")], b"hello"), ({}, [(b"content-length", b"5 ")], b"hello"),
    ({}, [(b"content-length", b"5\r\n\r\n")], b"hello"),
    ({}, [(b"content_length", b"5")], HIDDEN), ({}, [(b"transfer_encoding", b"chunked")], ENDED),
    ({}, [(b"connection", b"upgrade"), (b"upgrade", b"h2c")], b""),
    ({}, [(b"connection", b"close, host")], b""), ({}, [(b"proxy-connection", b"x")], b""),
    ({}, [], HIDDEN), ({b":path": b"/\xff\x80"}, [], b""), ({}, [(b"x", b"\xff")], b""),
]  # fmt: skip


@contextlib.asynccontextmanager
async def two_teams(world):
    shop, blog = await Strict("shop").open(), await Strict("blog").open()
    backends = [_backend(world, number, each) for number, each in enumerate((shop, blog), 1)]
    await world.edge.apply(backends)
    try:
        yield shop, blog
    finally:
        shop.close()
        blog.close()


def _backend(world, number, app):
    from .conftest import App

    target = replace(App(app.port, None, number).target(app=app.name), label=f"{app.name}.v7.web.1")
    return world.backend(target, name=app.name)


async def said(port, raw):
    """Send raw bytes, and return all that comes back until it ends or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    came = b""
    try:
        writer.write(raw)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while data := await asyncio.wait_for(reader.read(65536), 0.3 if came else 1.0):
                came += data
    finally:
        writer.close()
    return came


def check(shop, blog, answers, raw):
    """What arrived is plain, as many requests as were answered, and each where it belongs."""
    assert not shop.doubts + blog.doubts, raw
    for app in (shop, blog):
        for each in app.seen:
            assert each.all("host") == [f"{app.name}.localhost"], (raw, each)
    if answers is not None:
        assert len(shop.seen) + len(blog.seen) >= answers, raw
    assert "/hidden" not in [each.path for each in shop.seen], raw


async def victims(world, shop, blog, raw):
    """Somebody else asks after it, and gets their own answer."""
    for number, app in enumerate((shop, blog, shop)):
        before = len(app.seen)
        told = await world.get(f"/victim/{number}", host=f"{app.name}.localhost", method="POST",
                               body=b"mine")  # fmt: skip
        assert json.loads(told.body) == {"app": app.name, "path": f"/victim/{number}"}, raw
        assert [each.body for each in app.seen[before:]] == [b"mine"], raw


async def throw(world, shop, blog, raw):
    shop.seen.clear()
    blog.seen.clear()
    came = await said(world.settings.http_port, raw)
    check(shop, blog, came.count(b"HTTP/1.1 200 Said"), raw)
    # What follows a whole request is the visitor's next one, in plain sight: both were answered.
    if blog.seen:
        assert came.count(b'"app": "blog"') == len(blog.seen), raw
    await victims(world, shop, blog, raw)


@pytest.mark.timeout(400)
def test_no_request_is_seen_as_two_or_by_another_team(run):
    async def story(world):
        async with two_teams(world) as (shop, blog):
            for raw in CORPUS:
                await throw(world, shop, blog, raw)

    run(story)


@pytest.mark.timeout(300)
def test_no_http2_request_becomes_two_on_its_way_down(run):
    async def story(world):
        async with two_teams(world) as (shop, blog):
            for changed, more, body in H2:
                shop.seen.clear()
                blog.seen.clear()
                fields = [*(PLAIN | changed).items(), *more]
                await ask(world.settings.https_port, fields, body)
                assert len(shop.seen) + len(blog.seen) <= 1, fields
                check(shop, blog, None, fields)
                await victims(world, shop, blog, fields)

    run(story)


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Real-Ip",
        "Forwarded",
        "Proxy",
    ],
)
def test_no_spelling_of_a_forged_origin_reaches_an_app(run, name):
    async def story(world):
        async with two_teams(world) as (shop, _):
            for odd in {name, name.lower(), name.upper(), name.replace("-", "_"),
                        name.replace("-", "_", 1)}:  # fmt: skip
                await world.get("/asked", headers=f"{odd}: 6.6.6.6\r\n")
            assert len(shop.seen) >= 3
            assert "6.6.6.6" not in json.dumps([each.headers for each in shop.seen])

    run(story)
