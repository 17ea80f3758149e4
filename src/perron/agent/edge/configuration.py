"""Writes HAProxy's configuration: rules for everybody, and pools of numbered backends.

Backends exist before anything leads to them, so that hosts, instances and certificates change
through the admin socket, without a reload. The servers are written too, so that a restart comes
up with all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from . import rules
from .model import FALL, KINDS
from .outline import Outline


@dataclass(frozen=True)
class Server:
    """A line of a backend: where an instance listens, and whether it gets requests."""

    name: str
    port: int
    serving: bool
    interval: float = 5.0

    @property
    def options(self) -> str:
        """How it is checked, in HAProxy's words."""
        return f"check inter {int(self.interval * 1000)}ms fall {FALL} rise 1"


@dataclass(frozen=True)
class Frame(Outline):
    """The configuration without servers; a change of it needs a reload."""

    @cached_property
    def rules(self) -> str:
        """Everything but the numbered backends."""
        return rules.text(self)

    @cached_property
    def skeleton(self) -> str:
        """The whole configuration of an edge without servers: kept, as it is long."""
        names = ((kind, each) for kind in KINDS for each in backend_names(kind, self.pools[kind]))
        return self.rules + "".join(_head(kind, name) for kind, name in names)


def backend_names(kind: str, size: int) -> list[str]:
    """Return the names of a pool's backends."""
    return [f"{kind}-{number:05d}" for number in range(size)]


def write(frame: Frame, servers: Mapping[str, Iterable[Server]]) -> str:
    """Return the whole configuration."""
    parts, at = [], 0
    for place, name in sorted((_place(frame, name), name) for name in servers):
        parts.append(frame.skeleton[at:place])
        parts.extend(_server(each) for each in servers[name])
        at = place
    return "".join([*parts, frame.skeleton[at:]])


def _head(kind: str, name: str) -> str:
    return f"backend {name} from {kind}\n"


def _place(frame: Frame, name: str) -> int:
    """Return where a backend's servers stand in the skeleton; all heads of a kind are as long."""
    wanted, _, number = name.rpartition("-")
    place = len(frame.rules)
    for kind in KINDS:
        length = len(_head(kind, f"{kind}-00000"))
        if kind == wanted:
            return place + (int(number) + 1) * length
        place += frame.pools[kind] * length
    raise ValueError(f"No backend is called {name}.")


def _server(each: Server) -> str:
    disabled = "" if each.serving else " disabled"
    return f"  server {each.name} 127.0.0.1:{each.port} {each.options}{disabled}\n"
