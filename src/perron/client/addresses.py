"""Where a platform is: on a unix socket of this machine, or behind a URL."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .faults import Fault


class AddressRefused(Fault):
    """A URL is none that leads to a platform."""


@dataclass(frozen=True)
class Address:
    """How to connect: ``socket`` for a unix socket, else ``host`` and ``port``."""

    url: str
    scheme: str
    host: str
    port: int
    socket: str = ""
    base: str = ""

    @property
    def name(self) -> str:
        """What people call it, such as ``perron.localhost``."""
        return "this machine" if self.socket else self.authority

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        if self.socket:
            return "localhost"
        usual = {"http": 80, "https": 443}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def connect_to(self) -> str:
        """The host to connect to: ``*.localhost`` is this machine, whatever DNS knows of it."""
        local = self.host == "localhost" or self.host.endswith(".localhost")
        return "127.0.0.1" if local else self.host


def parse(url: str) -> Address:
    """Return the address in ``unix:///path``, ``http://host:port`` or ``https://host``."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme == "unix" and parts.path.startswith("/"):
        return Address(url=url, scheme="unix", host="localhost", port=0, socket=parts.path)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused(
            f"{url} leads to no platform; write https://host, http://host:port or "
            "unix:///path/to/api.sock."
        )
    if parts.username or parts.password:
        raise AddressRefused("A URL carries no password here; the token goes to perron login.")
    return Address(
        url=f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}",
        scheme=parts.scheme,
        host=parts.hostname,
        port=_port(parts),
        base=parts.path.rstrip("/"),
    )


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or {"http": 80, "https": 443}[parts.scheme]
    except ValueError as why:
        raise AddressRefused(f"{parts.netloc} has no port that can be: {why}.") from why
