"""What is wished for one environment, and who keeps it."""

from dataclasses import dataclass, field

from perron.agent.store import Kept
from perron.contract.node import EnvironmentWish

from .keeper import Keeper
from .model import Instance


@dataclass
class Environment:
    """One environment on this node: what is wished for it, and who keeps it."""

    kept: Kept
    keepers: dict[str, Keeper] = field(default_factory=dict)

    @property
    def wish(self) -> EnvironmentWish:
        """What should run."""
        return self.kept.wish

    @property
    def instances(self) -> list[Instance]:
        """What runs, or shall."""
        return [keeper.instance for keeper in self.keepers.values() if not keeper.over]
