"""What is wished for one environment, and who keeps it."""

from dataclasses import dataclass, field

from perron.agent.builds import Builds
from perron.agent.store import Kept
from perron.contract.node import EnvironmentWish

from .keeper import Keeper
from .model import Instance


@dataclass
class Environment:
    """One environment on this node: what is wished for it, who keeps it, which builds it lost."""

    kept: Kept
    keepers: dict[str, Keeper] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    @property
    def wish(self) -> EnvironmentWish:
        """What should run."""
        return self.kept.wish

    @property
    def builds(self) -> set[str]:
        """What is wished for, and what still runs, is made of these builds."""
        kept = {keeper.made_of.build for keeper in self.keepers.values()}
        return kept | {each.build for each in self.wish.sets}

    def look_for_builds(self, builds: Builds) -> bool:
        """Look whether the builds wished for are still here; say whether that changed."""
        wished = {each.build for each in self.wish.sets}
        lost = sorted(each for each in wished if builds.find(each) is None)
        changed, self.lost = lost != self.lost, lost
        return changed

    @property
    def instances(self) -> list[Instance]:
        """What runs, or shall."""
        return [keeper.instance for keeper in self.keepers.values() if not keeper.over]
