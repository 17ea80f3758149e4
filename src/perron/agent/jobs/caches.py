"""Caches of package managers, one for each team: bounded, for by themselves they only grow."""

import asyncio
import logging
from collections.abc import Callable

from perron.agent import builds
from perron.kit.files import private_folder

from .rooms import Rooms

log = logging.getLogger(__name__)


async def trim(rooms: Rooms, *, is_building: Callable[[str], bool]) -> list[str]:
    """Empty the caches that outgrew their bound; return whose. What is needed is fetched again.

    A cache goes whole: package managers do not say which of their files were used last. One
    that a build uses waits for the next time.
    """
    emptied = []
    for cache in sorted(private_folder(rooms.home.node / "caches").iterdir()):
        if cache.name.startswith("."):  # an agent was killed while it emptied this one
            await asyncio.to_thread(builds.remove, cache)
            continue
        size = await asyncio.to_thread(builds.used, cache)
        if size <= rooms.settings.build_cache or is_building(cache.name):
            continue
        doomed = cache.with_name(f".{cache.name}")
        cache.rename(doomed)  # in the loop's own thread: no build begins between look and leap
        await asyncio.to_thread(builds.remove, doomed)
        log.info("The cache of %s had grown to %.1f GB and was emptied.", cache.name, size / 1e9)
        emptied.append(cache.name)
    return emptied
