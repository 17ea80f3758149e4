"""Visitors who ask too much, too slowly or all at once."""

import socket
import time
from contextlib import ExitStack

import pytest

from tools.rig import Load
from tools.rig.audit import ask_edge
from tools.rig.platform import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
HOST = b"Host: visited.localhost\r\n"


@pytest.fixture(scope="module")
def visited(here):
    here.perron("deploy", str(here.app("load", "visited")), "-a", "visited", "--create")
    return here


def connected(here, timeout=20.0):
    return socket.create_connection(("127.0.0.1", here.http_port), timeout)


def answer(here, request, timeout=20.0):
    with connected(here, timeout) as visitor:
        visitor.sendall(request)
        return visitor.recv(65536)


def status(answered):
    return int(answered.split(b" ", 2)[1]) if answered else None


def test_headers_that_are_too_large_are_refused(visited):
    large = b"X-Large: " + b"x" * (30 << 10) + b"\r\n"
    assert status(answer(visited, b"GET / HTTP/1.1\r\n" + HOST + large + b"\r\n")) in (400, 431)
    many = b"".join(b"X-%d: 1\r\n" % n for n in range(300))
    assert status(answer(visited, b"GET / HTTP/1.1\r\n" + HOST + many + b"\r\n")) in (400, 431)
    assert visited.status("visited.localhost") == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(visited):
    length = b"Content-Length: %d\r\n\r\n" % (2 << 30)
    assert status(answer(visited, b"POST /upload HTTP/1.1\r\n" + HOST + length)) == 413


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n\r\n", b"\x16\x03\x01\x02\x00"]
)
def test_what_is_no_request_is_refused(visited, request_):
    assert status(answer(visited, request_)) in (400, 404)
    assert visited.status("visited.localhost") == 200


def test_two_lengths_are_refused(visited):
    two = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"
    assert status(answer(visited, two)) == 400


def test_slow_clients_are_let_go_and_nobody_waits_for_them(visited):
    with ExitStack() as all_of_them:
        slow = [all_of_them.enter_context(connected(visited)) for _ in range(300)]
        for each in slow:
            each.sendall(b"GET / HTTP/1.1\r\nHost: visi")
        began = time.monotonic()
        with Load(visited.http_port, "visited.localhost", kinds={"fresh": 4}) as others:
            wait_until(lambda: others.tally.requests > 200, 20)
            for each in slow[:20]:
                assert status(each.recv(65536)) == 408
        assert 8 < time.monotonic() - began < 20
        assert not others.tally.lost, str(others.tally)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_eight_thousand_connections_are_open_and_five_hundred_active(visited, many_files):
    many_files(17_000)
    with ExitStack() as all_of_them:
        for number in range(8000):
            each = all_of_them.enter_context(connected(visited, 30))
            each.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert status(each.recv(65536)) == 200, number
        assert int(info(visited, "CurrConns")) >= 8000
        kinds = {"keep-alive": 250, "fresh": 250}
        with Load(visited.http_port, "visited.localhost", kinds=kinds, pace=0.2) as active:
            wait_until(lambda: active.tally.requests > 10_000, 120)
        assert not active.tally.lost, str(active.tally)


def info(here, name):
    lines = ask_edge(here, "show info").splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith(f"{name}:"))
