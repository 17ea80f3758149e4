"""Ends everything of this home, with no agent running: instances, jobs and the edge."""

from perron.kit.lock import hold
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings

from . import store
from .edge import Edge
from .instances import rest
from .places import Places
from .sandbox import Sandboxes


async def end_everything(home: Home, settings: Settings) -> int:
    """Stop the edge, then every sandbox in its own time; return how many instances ran.

    Nothing is forgotten: the next agent starts again what is wished for.
    """
    lock = hold(home.run / "agent.lock")
    database = store.prepare(home)
    try:
        await Edge(home, settings).stop()
        return await rest(
            database,
            Sealer.from_file(home.keys / "node.key"),
            Places(database, home, settings),
            Sandboxes(bwrap=settings.bwrap, cgroup=settings.cgroup),
        )
    finally:
        database.dispose()
        lock.release()
