"""Connections of http.client to wherever a platform may be."""

import socket
import ssl
from http.client import HTTPConnection, HTTPSConnection

from .addresses import Address

CONNECT = 5.0
ANSWER = 60.0


class UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = _unix(self._path)


class LocalConnection(HTTPConnection):
    """HTTP to a host whose name may be known to us alone."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.host, address.port, timeout=ANSWER)
        self._to = (address.connect_to, address.port)

    def connect(self) -> None:
        """Connect to where the name leads."""
        self.sock = _tcp(self._to)


class SecureConnection(HTTPSConnection):
    """HTTPS, trusting the system's authorities or those in the file ``authorities``."""

    def __init__(self, address: Address, authorities: str) -> None:
        self._trust = trust(authorities)
        super().__init__(address.host, address.port, timeout=ANSWER, context=self._trust)
        self._to = (address.connect_to, address.port)

    def connect(self) -> None:
        """Connect, and check that the other side is who it says."""
        self.sock = self._trust.wrap_socket(_tcp(self._to), server_hostname=self.host)


def connection_to(address: Address, authorities: str = "") -> HTTPConnection:
    """Return a connection that is not yet open."""
    if address.socket:
        return UnixConnection(address.socket)
    if address.scheme == "https":
        return SecureConnection(address, authorities)
    return LocalConnection(address)


def plug_to(address: Address) -> socket.socket:
    """Return a socket that is connected to the address."""
    return _unix(address.socket) if address.socket else _tcp((address.connect_to, address.port))


def trust(authorities: str) -> ssl.SSLContext:
    """Return whom to believe: the system's authorities, or those in a file."""
    return ssl.create_default_context(cafile=authorities or None)


def _unix(path: str) -> socket.socket:
    plug = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    plug.settimeout(CONNECT)
    try:
        plug.connect(path)
    except BaseException:
        plug.close()
        raise
    plug.settimeout(ANSWER)
    return plug


def _tcp(to: tuple[str, int]) -> socket.socket:
    plug = socket.create_connection(to, CONNECT)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plug.settimeout(ANSWER)
    return plug
