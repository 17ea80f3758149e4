"""Where this platform lives, and how it was set up."""

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from .files import write_whole
from .problems import Problem

MIB = 1 << 20
GIB = 1 << 30
MOST_KEPT = 1000
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0", ""})


class SettingsRefused(Problem):
    """A setting cannot be used as it is."""


@dataclass(frozen=True)
class Home:
    """The folder with everything of one platform, and the places in it."""

    path: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Home":
        """Return ``PERRON_HOME``, ``~/.perron`` by default."""
        given = environment.get("PERRON_HOME")
        return cls(Path(given).expanduser().absolute() if given else Path.home() / ".perron")

    @property
    def settings(self) -> Path:
        """How this platform was set up."""
        return self.path / "settings.json"

    @property
    def database(self) -> Path:
        """The server's state."""
        return self.path / "perron.db"

    @property
    def node_database(self) -> Path:
        """The agent's state."""
        return self.path / "node.db"

    @property
    def keys(self) -> Path:
        """Keys, never in a backup beside the data they open."""
        return self.path / "keys"

    @property
    def run(self) -> Path:
        """Sockets and locks."""
        return self.path / "run"

    @property
    def api_socket(self) -> Path:
        """Where the server listens."""
        return self.run / "api.sock"

    @property
    def agent_socket(self) -> Path:
        """Where the agent listens."""
        return self.run / "agent.sock"

    @property
    def sources(self) -> Path:
        """Uploaded sources, named by digest."""
        return self.path / "sources"

    @property
    def backups(self) -> Path:
        """Hourly copies of the server's state."""
        return self.path / "backups"

    @property
    def logs(self) -> Path:
        """What the platform's own processes say."""
        return self.path / "logs"

    @property
    def node(self) -> Path:
        """Everything the agent owns: instances, builds, caches, volumes, app logs."""
        return self.path / "node"

    @property
    def edge(self) -> Path:
        """The edge's configuration, maps and certificates."""
        return self.path / "edge"


@dataclass(frozen=True)
class Settings:
    """How this platform is set up; ``PERRON_<NAME>`` in the environment wins over the file.

    Sizes are in bytes, durations in seconds. ``slot`` picks this home's band of instance ports
    and uids, so that two platforms can share a machine. ``fetch`` is the environment in which
    builds reach package indexes. ``trusted``: one team's apps may run without a sandbox where
    none can be made. ``teams_by`` says who founds teams: administrators, or everyone. Of
    ``backups_hourly``, ``_daily`` and ``_weekly`` so many have their newest backup kept.
    """

    version: int = 1
    slot: int = 0
    http_port: int = 8080
    https_port: int = 8443
    bind: str = "127.0.0.1,::1"
    domain: str = "perron.localhost"
    apps_domain: str = "localhost"
    trusted_proxies: str = ""
    haproxy: str = ""
    bwrap: str = ""
    trusted: bool = False
    pythons: str = ""
    builds_at_once: int = 2
    build_memory: int = 2 * GIB
    build_timeout: float = 900.0
    build_disk: int = 4 * GIB
    build_cache: int = 5 * GIB
    max_source: int = 256 * MIB
    disk_reserve: int = GIB
    instance_memory: int = 512 * MIB
    instance_cpu: float = 0.0
    instance_processes: int = 256
    instance_files: int = 4096
    teams_by: str = "administrators"
    backups_hourly: int = 24
    backups_daily: int = 7
    backups_weekly: int = 0
    fetch: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse networks that are none, for the edge would not start, and odd numbers."""
        for each in self.proxies:
            _check_network(each)
        for name in ("backups_hourly", "backups_daily", "backups_weekly"):
            if not 0 <= getattr(self, name) <= MOST_KEPT:
                raise SettingsRefused(
                    f"{name} cannot be {getattr(self, name)}: it is how many backups are kept, "
                    f"from 0 to {MOST_KEPT}; the newest one always is."
                )

    @property
    def instance_ports(self) -> range:
        """Ports of this home's instances; outside the kernel's ephemeral range."""
        return range(12_000 + 1_000 * self.slot, 13_000 + 1_000 * self.slot)

    @property
    def uids(self) -> range:
        """User ids for this home's environments, when started by root."""
        return range(100_000 + 3_000 * self.slot, 103_000 + 3_000 * self.slot)

    @property
    def cgroup(self) -> str:
        """Name of the control group that holds this home's instances."""
        return f"perron-{self.slot}"

    @property
    def url(self) -> str:
        """Where the platform's pages are, for somebody on this machine."""
        port = "" if self.http_port == 80 else f":{self.http_port}"
        return f"http://{self.domain}{port}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses the edge binds."""
        return _parts(self.bind)

    @property
    def proxies(self) -> tuple[str, ...]:
        """The networks of proxies before the edge that are believed about their visitors."""
        return _parts(self.trusted_proxies)


def load(home: Home, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a home: defaults, then its file, then the environment."""
    given = tuple((name, environment[key]) for name, key in _told_by() if key in environment)
    return _loaded(home.settings, _edition(home.settings), given)


def save(home: Home, settings: Settings) -> None:
    """Keep the settings of a home."""
    write_whole(home.settings, json.dumps(asdict(settings), indent=2) + "\n")


def cast(kind: type[Any], value: Any) -> Any:
    """Return a value as what its setting is; text from outside says yes or no in words."""
    if kind is not bool or isinstance(value, bool):
        return kind(value)
    if str(value).lower() not in _YES | _NO:
        raise ValueError(f"{value!r} is neither true nor false")
    return str(value).lower() in _YES


@cache
def _told_by() -> list[tuple[str, str]]:
    """Return every setting that the environment may give, with the name it has there."""
    names = [each.name for each in fields(Settings) if each.name not in ("version", "fetch")]
    return [(name, f"PERRON_{name.upper()}") for name in names]


def _edition(file: Path) -> tuple[int, int, int] | None:
    """Tell one writing of a file from the next; None when there is none."""
    try:
        seen = file.stat()
    except FileNotFoundError:
        return None
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


@lru_cache(maxsize=16)
def _loaded(
    file: Path, edition: tuple[int, int, int] | None, given: tuple[tuple[str, str], ...]
) -> Settings:
    """Read the settings once for each edition of their file: every list asks for them."""
    settings = Settings()
    if edition:
        settings = _merged(settings, json.loads(file.read_text()), str(file))
    return _merged(settings, dict(given), "the environment")


def _parts(listed: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in listed.split(",") if part.strip())


def _check_network(text: str) -> None:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as why:
        raise SettingsRefused(
            f"trusted_proxies: {why}. Give addresses or networks with commas between, "
            "such as 10.0.0.7,192.168.0.0/16."
        ) from why
    if network.prefixlen == 0:
        raise SettingsRefused(
            f"trusted_proxies: {text} is everybody, who could then claim any address. "
            "Name the networks of your own proxies."
        )


def _merged(settings: Settings, given: Mapping[str, Any], source: str) -> Settings:
    kinds = {each.name: type(getattr(settings, each.name)) for each in fields(Settings)}
    unknown = set(given) - set(kinds)
    if unknown:
        raise SettingsRefused(f"Unknown settings in {source}: {', '.join(sorted(unknown))}.")
    try:
        return replace(settings, **{name: cast(kinds[name], each) for name, each in given.items()})
    except (TypeError, ValueError) as why:
        raise SettingsRefused(f"A setting in {source} cannot be read: {why}.") from why
