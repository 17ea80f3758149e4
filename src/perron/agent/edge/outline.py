"""What the edge's configuration depends on besides servers, and where its files lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perron.kit.settings import Home, Settings

EDGE_ID = 65_080  # uid and gid of the worker when started by root; in a range nobody gives out
POOLS = {
    "http": 1000, "strict": 500, "tcp": 200,
    "http-sticky": 120, "strict-sticky": 120, "tcp-sticky": 60,
}  # fmt: skip


@dataclass(frozen=True)
class Outline:
    """What the configuration depends on besides servers; a change of it needs a reload."""

    home: Home
    settings: Settings
    addresses: tuple[str, ...]
    is_root: bool
    pools: Mapping[str, int] = field(default_factory=lambda: dict(POOLS))

    @property
    def hosts_map(self) -> Path:
        """Which host leads to which backend."""
        return self.home.edge / "hosts.map"

    @property
    def apps_map(self) -> Path:
        """The settings of the environment behind each backend."""
        return self.home.edge / "apps.map"

    @property
    def certificate_list(self) -> Path:
        """Which certificates are shown; the first is the default."""
        return self.home.edge / "crt-list"

    @property
    def measure(self) -> Path:
        """What counts the bytes of bodies whose length is not told."""
        return self.home.edge / "measure.lua"

    @property
    def pages(self) -> Path:
        """Where our own pages lie."""
        return self.home.edge / "pages"
