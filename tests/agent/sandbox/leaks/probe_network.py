"""Attacks over TCP, UDP and unix sockets, and by binding ports of others."""

import ctypes
import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from probe import Targets, attack

HERE = "127.0.0.1"
MPTCP, SMC = 262, 256
FAST_OPEN = 0x20000000
SENDMMSG = 307 if os.uname().machine == "x86_64" else 269
libc = ctypes.CDLL(None, use_errno=True)


def _connect(port: int, host: str = HERE, family: int = socket.AF_INET, protocol: int = 0) -> bytes:
    with socket.socket(family, socket.SOCK_STREAM, protocol) as made:
        made.settimeout(2)
        made.connect((host, port))
        return made.recv(20)


def _unix(name: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(2)
        made.connect(name)
        return made.recv(20)


def _fast_open(send: Callable[[socket.socket], object]) -> bytes:
    # Blocking: with a Python timeout every Fast Open ends in EINPROGRESS, which proves nothing.
    with socket.socket() as made:
        send(made)
        return made.recv(20)


def _bound(port: int, kind: int = socket.SOCK_STREAM, *, share: bool = False) -> str:
    with socket.socket(socket.AF_INET, kind) as made:
        if share:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((HERE, port))
        return "bound"


@attack("TCP: the other app's port")
def _(t: Targets) -> Any:
    return _connect(t["victim_port"])


@attack("TCP: the same as ::ffff:127.0.0.1")
def _(t: Targets) -> Any:
    return _connect(t["victim_port"], "::ffff:127.0.0.1", socket.AF_INET6)


@attack("TCP: the same, not blocking")
def _(t: Targets) -> Any:
    with socket.socket() as made:
        made.setblocking(False)
        code = made.connect_ex((HERE, t["victim_port"]))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        time.sleep(0.2)
        return made.recv(20)


@attack("TCP: the same by MPTCP")
def _(t: Targets) -> Any:
    return _connect(t["victim_port"], protocol=MPTCP)


@attack("TCP: the same by SMC")
def _(t: Targets) -> Any:
    return _connect(t["victim_port"], protocol=SMC)


@attack("TCP: the same by Fast Open, sendto")
def _(t: Targets) -> Any:
    return _fast_open(lambda made: made.sendto(b"x", FAST_OPEN, (HERE, t["victim_port"])))


@attack("TCP: the same by Fast Open, sendmsg")
def _(t: Targets) -> Any:
    where = (HERE, t["victim_port"])
    return _fast_open(lambda made: made.sendmsg([b"x"], [], FAST_OPEN, where))


@attack("TCP: the same by Fast Open, sendmmsg")
def _(t: Targets) -> Any:
    def send(made: socket.socket) -> None:
        port = t["victim_port"].to_bytes(2, "big")
        family = socket.AF_INET.to_bytes(2, "little")
        address = ctypes.create_string_buffer(family + port + socket.inet_aton(HERE) + bytes(8), 16)
        data = ctypes.create_string_buffer(b"x", 1)
        vector = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 1)
        place, parts = ctypes.addressof(address), ctypes.addressof(vector)
        message = (ctypes.c_uint64 * 8)(place, 16, parts, 1, 0, 0, 0, 0)
        if libc.syscall(SENDMMSG, made.fileno(), message, 1, FAST_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")

    return _fast_open(send)


@attack("TCP: the same by Fast Open, connect option")
def _(t: Targets) -> Any:
    with socket.socket() as made:
        made.settimeout(2)
        made.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
        made.connect((HERE, t["victim_port"]))
        made.send(b"x")
        return made.recv(20)


@attack("TCP: the platform's API")
def _(t: Targets) -> Any:
    return _connect(t["api_port"])


@attack("unix: the edge's admin socket by path")
def _(t: Targets) -> Any:
    return _unix(t["edge_socket"])


@attack("unix: the other app's socket by path")
def _(t: Targets) -> Any:
    return _unix(t["victim_socket"])


@attack("unix: the other app's abstract socket")
def _(t: Targets) -> Any:
    return _unix("\0" + t["abstract"])


@attack("unix: the platform's abstract socket")
def _(t: Targets) -> Any:
    return _unix("\0" + t["platform_abstract"])


@attack("bind: a foreign TCP port")
def _(t: Targets) -> Any:
    return _bound(t["free_port"])


@attack("bind: share the other's port")
def _(t: Targets) -> Any:
    return _bound(t["victim_port"], share=True)


@attack("UDP: the other app's port", "open")
def _(t: Targets) -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(1)
        made.sendto(b"x", (HERE, t["victim_port"]))
        return made.recv(20)


@attack("bind: a foreign UDP port", "open")
def _(t: Targets) -> Any:
    return _bound(t["free_port"], socket.SOCK_DGRAM)


@attack("bind: listen on a random port", "open")
def _(t: Targets) -> Any:
    with socket.socket() as made:
        made.listen()
        return made.getsockname()[1]


@attack("names: all sockets in /proc/net/tcp", "open")
def _(t: Targets) -> Any:
    with open("/proc/net/tcp") as file:
        return f"{t['victim_port']:04X}" in file.read()


@attack("works: a service's socket in a mounted folder", "works")
def _(t: Targets) -> Any:
    return _unix(t["own_socket"])


@attack("works: bind and reach the own port", "works")
def _(t: Targets) -> Any:
    port = int(os.environ["PORT"])
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HERE, port))
        made.listen()
        with socket.create_connection((HERE, port), 2):
            return True


@attack("works: a port on the list", "works")
def _(t: Targets) -> Any:
    return _connect(t["listed_port"])


@attack("works: outgoing 443, refused by nobody listening and not by us", "works")
def _(t: Targets) -> Any:
    with socket.socket() as made:
        made.settimeout(2)
        code = made.connect_ex((HERE, 443))
        if code in (0, errno.ECONNREFUSED):
            return True
        raise OSError(code, os.strerror(code))


@attack("works: its own abstract socket, and port 0", "works")
def _(t: Targets) -> Any:
    name = f"\0mine{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as made, socket.socket(socket.AF_UNIX) as other:
        made.bind(name)
        made.listen()
        other.connect(name)
    return _bound(0)
