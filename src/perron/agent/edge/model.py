"""What the edge shall do and what it saw: plain values, and the names they bear in HAProxy."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import quote

from perron.contract.node import Certificate, HealthCheck

Page = Literal["empty", "stopped", "starting", "crashed"]
Key = tuple[str, str]  # backend and server, as HAProxy names them
FALL = 3  # failed checks that take an instance out of rotation
IDLE_TIMEOUT = 60.0  # seconds without a byte, where an app asks for no other
KINDS = ("http", "strict", "tcp", "http-sticky", "strict-sticky", "tcp-sticky")
_SERVER = re.compile(r".*\.v(?P<release>\d+)\.(?P<instance>[^:]+):(?P<name>.+)")


@dataclass(frozen=True)
class Target:
    """An instance visitors can be led to; without ``serving`` it gets no new requests."""

    name: str
    label: str
    port: int
    serving: bool
    release: int
    instance: str

    @property
    def server(self) -> str:
        """What it is called in HAProxy: readable, and unique by the instance's id."""
        return f"{self.label}:{self.name}"


@dataclass(frozen=True)
class Backend:
    """How visitors reach one environment. ``password`` is made by ``perron.edge``."""

    environment: str
    hosts: tuple[str, ...]
    targets: tuple[Target, ...]
    health: HealthCheck = field(default_factory=HealthCheck)
    sticky: bool = False
    maintenance: bool = False
    page: Page = "empty"
    user: str | None = None
    password: str | None = None
    max_body: int = 1 << 30
    idle_timeout: float = IDLE_TIMEOUT
    log_queries: bool = False
    certificates: tuple[Certificate, ...] = ()

    @property
    def kind(self) -> str:
        """Which pool of HAProxy backends it needs: they differ in checks and cookies."""
        checked = "tcp"
        if self.health.kind == "http":
            checked = "strict" if self.health.strict else "http"
        return f"{checked}-sticky" if self.sticky else checked

    @property
    def shown(self) -> str:
        """Which page visitors see when no instance can answer."""
        if self.maintenance:
            return "maintenance"
        return "crashed" if self.targets and self.page in ("empty", "stopped") else self.page

    @property
    def is_special(self) -> bool:
        """Whether a request needs more of its settings than where it leads."""
        return (
            self.maintenance
            or self.password is not None
            or self.log_queries
            or self.idle_timeout != IDLE_TIMEOUT
        )

    def packed(self) -> str:
        """Return its settings as one word of ``apps.map``, which the configuration unpacks."""
        salt, digest = _password(self.password)
        fields = (
            self.environment,
            self.shown,
            str(self.max_body),
            str(int(self.idle_timeout * 1000)),
            "1" if self.log_queries else "0",
            salt,
            digest,
            quote(self.hosts[0] if self.hosts else "localhost", safe=".:-"),
            quote(self.health.path, safe="/?&=%~._-+,:@!*()'"),
        )
        return "|".join(fields)


@dataclass(frozen=True)
class TargetState:
    """What the edge's own checks say of an instance; ``failures`` in a row, as far as known."""

    up: bool
    since: datetime | None
    failures: int


class AccessLine(NamedTuple):
    """One request as the edge saw it; ``time`` is when it ended. A tuple: there are many.

    ``started`` and ``ended`` count the environment's requests up to this line, since HAProxy's
    worker began. ``page`` is the page of our own that was shown; ``state`` is HAProxy's
    termination code.
    """

    time: datetime
    environment: str
    started: int | None
    ended: int | None
    release: int | None
    instance: str
    server: str
    method: str
    host: str
    path: str
    query: str
    status: int
    ms: int
    bytes: int
    request_id: str
    state: str
    retries: int
    page: str

    @property
    def text(self) -> str:
        """The line people read in ``perron logs --source router``."""
        if self.is_ordinary:
            return (
                f"{self.method} {self.path} {self.status} {self.ms} ms release={self.release} "
                f"instance={self.instance} id={self.request_id}"
            )
        lost = self.lost
        target = f"{self.path}?{self.query}" if self.query else self.path
        who = f" release={self.release} instance={self.instance}" if self.instance else ""
        why = f" page={self.page}" if self.page else ""
        gone = f" lost={lost}" if lost else ""
        tried = f" retries={self.retries}" if self.retries else ""
        return (
            f"{self.method} {target} {self.status} {self.ms} ms{who}{why}{tried}{gone} "
            f"id={self.request_id}"
        )

    @property
    def is_ordinary(self) -> bool:
        """Whether an instance answered at once: nothing else is to be said of most requests."""
        return (
            self.state == "--" and bool(self.instance) and not (self.retries or self.query)
        ) and not self.page

    @property
    def is_well_served(self) -> bool:
        """Whether an instance answered, and answered well."""
        return self.state == "--" and bool(self.instance) and 100 <= self.status < 500

    @property
    def lost(self) -> str | None:
        """Why the visitor did not get what they asked for, through no fault of app or visitor."""
        if self.state == "--":
            return None
        if self.page:
            return "no instance" if self.page in ("starting", "crashed") else None
        cause, phase = self.state[:1], self.state[1:2]
        if cause in ("", "-", "C", "c", "L"):
            return None
        if cause == "K" or phase in ("D", "L", "T"):  # K: we closed it when its time was up
            return "answer cut"
        if self.status < 500:
            return None
        return _REASONS.get(cause + phase, "edge error")


_REASONS = {
    "SC": "connect failed",
    "sC": "connect timed out",
    "SH": "no answer",
    "sH": "answer timed out",
    "PH": "bad answer",
    "sQ": "queue timed out",
    "SQ": "no instance",
}


def shown_as_starting(packed: str) -> str:
    """Return an environment's settings for the time before its instances are known again."""
    environment, page, *rest = packed.split("|")
    return "|".join((environment, page if page == "maintenance" else "starting", *rest))


@lru_cache(10_000)
def release_of(server: str) -> tuple[int | None, str]:
    """Return release and instance from a server's name in HAProxy, as far as it tells."""
    found = _SERVER.fullmatch(server)
    return (int(found["release"]), found["instance"]) if found else (None, "")


def name_of(server: str) -> str:
    """Return the target's name from a server's name in HAProxy."""
    return server.partition(":")[2] or server


def _password(password: str | None) -> tuple[str, str]:
    """Split ``sha256$<salt>$<digest>``; what is not understood lets nobody in."""
    if password is None:
        return "open", "open"
    kind, _, rest = password.partition("$")
    salt, _, digest = rest.partition("$")
    if kind != "sha256" or not re.fullmatch(r"[0-9a-f]{64}", digest):
        return "shut", "shut"
    return salt, digest
