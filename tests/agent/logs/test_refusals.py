"""What the sandbox refuses is explained once, whatever language complains of it."""

import time

import pytest

from perron.agent.logs.refusals import Refusals

CONNECTS = {
    "libpq": 'connection to server at "127.0.0.1", port 5433 failed: Permission denied',
    "asyncio": "PermissionError: [Errno 13] Connect call failed ('127.0.0.1', 5433)",
    "redis": "redis.exceptions.ConnectionError: Error 13 connecting to db:5433. Permission denied.",
    "urllib3": "HTTPConnection(host='db', port=5433): Failed to establish a new connection: "
    "[Errno 13] Permission denied",
    "node": "Error: connect EACCES 127.0.0.1:5433",
    "node, IPv6": "Error: connect EACCES ::1:5433 - Local (:::0)",
    "go": "dial tcp 10.0.0.7:5433: connect: permission denied",
    "java": "java.net.ConnectException: Connection to db:5433: Permission denied",
    "mysql": "Can't connect to MySQL server on 'db:5433' (13)",
    "curl": "curl: (7) Failed to connect to db port 5433 after 0 ms: Permission denied",
}
WRITES = {
    "[Errno 30] Read-only file system: '/app/media/a.png'": "/app/media/a.png",
    "Error: EROFS: read-only file system, open '/app/db.json'": "/app/db.json",
    "open /srv/x.db: read-only file system": "/srv/x.db",
    "sh: 1: cannot create /app/out: Read-only file system": "/app/out",
    "PermissionError: [Errno 13] Permission denied: '/app/db.sqlite3'": "/app/db.sqlite3",
    "Error: EACCES: permission denied, mkdir '/app/uploads'": "/app/uploads",
    "sqlite3.OperationalError: attempt to write a readonly database": "a file",
}
OTHERS = [
    "PermissionError: [Errno 13] Permission denied: '/etc/shadow'",
    "GET /orders/EACCES 200",
    "user 7: permission denied",
    "the port 5433 is open",
    "took (13 ms) to connect",
]


@pytest.mark.parametrize("line", CONNECTS.values(), ids=CONNECTS.keys())
def test_a_refused_connect_is_told_with_its_port(line: str) -> None:
    refusals = Refusals()
    (said,) = refusals.look(f"before\n{line}\nafter\n".encode())
    assert "connect to port 5433 is refused" in said
    assert "[network] connect = [5433]" in said
    assert refusals.look(line.encode()) == []


@pytest.mark.parametrize(("line", "file"), WRITES.items())
def test_a_refused_write_is_told_with_its_file(line: str, file: str) -> None:
    refusals = Refusals()
    (said,) = refusals.look(line.encode())
    assert said.startswith(f"{file} could not be written")
    assert "perron volumes create" in said
    assert refusals.look(b"[Errno 30] Read-only file system: '/app/other'") == []


@pytest.mark.parametrize("line", OTHERS)
def test_what_the_platform_did_not_refuse_is_not_explained(line: str) -> None:
    assert Refusals().look(line.encode()) == []


def test_each_port_is_told_once() -> None:
    lines = b"\n".join(b"Error: connect EACCES 127.0.0.1:%d" % port for port in (1, 2, 1, 2, 3))
    assert len(Refusals().look(lines)) == 3


def test_a_connect_that_names_no_port_is_told_by_what_comes_before_it() -> None:
    trace = (
        b"  File 'a.py'\n    s.connect((host, port))\nPermissionError: [Errno 13] Permission denied"
    )
    (said,) = Refusals().look(trace)
    assert "connect = [PORT]" in said


def test_where_no_port_is_named_the_open_ones_are_told() -> None:
    error = b"  s.connect(there)\nhttpx.ConnectError: [Errno 13] Permission denied"
    (said,) = Refusals(usual=(80, 443)).look(error)
    assert "Open are 80, 443 and what perron.toml adds" in said
    assert "connect = [PORT]" in said


def test_a_port_of_other_apps_is_not_offered() -> None:
    (said,) = Refusals(range(20_000, 21_000)).look(b"Error: connect EACCES 127.0.0.1:20005")
    assert "their URLs" in said
    assert "connect =" not in said


def test_listening_elsewhere_is_told() -> None:
    (said,) = Refusals().look(b"Error: listen EACCES: permission denied 0.0.0.0:3000")
    assert "PORT" in said


def test_a_flood_costs_little() -> None:
    plain = b"a line of an app that says a lot but nothing of this\n" * 20_000
    hostile = b"Error: connect EACCES 127.0.0.1:99999 permission denied\n" * 20_000
    refusals = Refusals()
    began = time.process_time()
    for _ in range(20):
        assert refusals.look(plain) == []
        assert len(refusals.look(hostile)) <= 1
    assert time.process_time() - began < 5  # it would be minutes without bounds
    assert refusals.left <= 0
