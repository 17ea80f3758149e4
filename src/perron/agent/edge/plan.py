"""Decides which numbered backend serves which environment, and what must change in HAProxy."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perron.kit.settings import Settings

from .configuration import Server, backend_names
from .model import Backend, Key


class PoolUsedUp(Exception):
    """No numbered backend of that kind is free; the configuration needs more of them."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"Every backend of kind {kind} is in use.")
        self.kind = kind


@dataclass(frozen=True)
class Desired:
    """Everything HAProxy shall know of the apps."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    apps: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, Sequence[Server]] = field(default_factory=dict)

    def by_key(self) -> dict[Key, Server]:
        """Return every server by what HAProxy calls it."""
        return {(name, each.name): each for name, all in self.servers.items() for each in all}


@dataclass(frozen=True)
class Running:
    """What HAProxy knows now; ``serving`` holds the servers that are not in maintenance."""

    hosts: Mapping[str, str]
    apps: Mapping[str, str]
    ports: Mapping[Key, int]
    serving: frozenset[Key]


def seat(
    seats: Mapping[str, str],
    backends: Sequence[Backend],
    pools: Mapping[str, int],
    busy: Iterable[str],
) -> dict[str, str]:
    """Return which backend serves each environment: the one it had, or else a free one.

    ``busy``: backends in which something may still be in flight.
    """
    kept = {
        each.environment: seats[each.environment]
        for each in backends
        if _kind(seats.get(each.environment, "")) == each.kind
    }
    taken = set(kept.values()) | set(busy)
    free = {kind: _free(kind, size, taken) for kind, size in pools.items()}
    for each in backends:
        if each.environment not in kept:
            chosen = next(free[each.kind], None)
            if chosen is None:
                raise PoolUsedUp(each.kind)
            kept[each.environment] = chosen
    return kept


def desire(backends: Sequence[Backend], seats: Mapping[str, str], settings: Settings) -> Desired:
    """Return what HAProxy shall know; of two claims to a host the first one counts.

    Plain HTTP is redirected for hosts that were added, not for those the platform made.
    """
    made = (settings.apps_domain.lower(), "localhost")
    hosts: dict[str, str] = {}
    for each in backends:
        place = f"{each.environment}|{seats[each.environment]}|"
        for host in each.hosts:
            https = "" if _is_under(host.lower(), made) else "https"
            special = "+" if https or each.is_special else ""
            hosts.setdefault(host.lower(), f"{place}{host.lower()}|{https}{special}")
    hosts.pop(settings.domain.lower(), None)  # the platform's own
    return Desired(
        hosts=hosts,
        apps={seats[each.environment]: each.packed() for each in backends},
        servers={seats[each.environment]: _servers(each) for each in backends},
    )


def additions(desired: Desired, running: Running, hosts: Path, apps: Path) -> list[list[str]]:
    """Return what makes room for visitors: settings, then instances, then hosts."""
    groups = _entries(apps, desired.apps, running.apps)
    for key, each in desired.by_key().items():
        groups += _arrival(key, each, running)
    return groups + _entries(hosts, desired.hosts, running.hosts)


def removals(desired: Desired, running: Running, hosts: Path, apps: Path) -> list[list[str]]:
    """Return what takes visitors away from where they shall not be led any more."""
    wanted = {key for key, each in desired.by_key().items() if each.serving}
    groups = [[f"del map {hosts} {host}"] for host in running.hosts if host not in desired.hosts]
    groups += [
        [f"set server {name}/{server} state maint"]
        for name, server in sorted(running.serving - wanted)
    ]
    used = {name for name, _ in running.ports}
    gone = [name for name in running.apps if name not in desired.apps and name not in used]
    return groups + [[f"del map {apps} {name}"] for name in gone]


def leavers(desired: Desired, running: Running) -> list[Key]:
    """Return the servers that HAProxy may forget as soon as nothing is in flight on them."""
    return sorted(set(running.ports) - set(desired.by_key()))


def _free(kind: str, size: int, taken: Collection[str]) -> Iterator[str]:
    """Yield the free backends of a pool; most often nobody asks for one."""
    for name in backend_names(kind, size):
        if name not in taken:
            yield name


def _servers(each: Backend) -> list[Server]:
    return [
        Server(target.server, target.port, target.serving, each.health.interval)
        for target in each.targets
    ]


def _entries(path: Path, wanted: Mapping[str, str], known: Mapping[str, str]) -> list[list[str]]:
    return [
        [f"{'set' if key in known else 'add'} map {path} {key} {value}"]
        for key, value in wanted.items()
        if known.get(key) != value
    ]


def _arrival(key: Key, each: Server, running: Running) -> list[list[str]]:
    """An instance is put in as healthy: whoever sent it here has checked it."""
    place = "/".join(key)
    commands = []
    if key not in running.ports:
        if not each.serving:
            return []
        commands = [f"add server {place} 127.0.0.1:{each.port} {each.options}"]
    elif running.ports[key] != each.port:
        commands = [f"set server {place} addr 127.0.0.1 port {each.port}"]
    if each.serving and key not in running.serving:
        commands += [f"set server {place} state ready", f"enable health {place}"]
    return [commands] if commands else []


def _is_under(host: str, domains: Iterable[str]) -> bool:
    return any(host == each or host.endswith(f".{each}") for each in domains)


def _kind(name: str) -> str:
    return name.rpartition("-")[0]
