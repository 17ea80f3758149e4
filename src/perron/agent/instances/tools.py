"""What the instances need of the rest of the agent's house."""

import asyncio
from dataclasses import dataclass, field

from perron.agent.builds import Builds
from perron.agent.edge import Edge
from perron.agent.logs import Logs
from perron.agent.places import Places
from perron.agent.sandbox import Sandboxes
from perron.agent.volumes import Volumes
from perron.kit.db import Database
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings

from .ledger import Ledger

STARTS_AT_ONCE = 8


@dataclass
class Tools:
    """The rooms and places an instance is made with."""

    home: Home
    settings: Settings
    database: Database
    sealer: Sealer
    places: Places
    sandboxes: Sandboxes
    builds: Builds
    logs: Logs
    volumes: Volumes
    edge: Edge
    starts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STARTS_AT_ONCE))
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.database)
